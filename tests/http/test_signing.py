"""Tokens of a key."""

import pytest

from docpipe._http.signing import Signer, token

jwt = pytest.importorskip("jwt")


def test_a_token_is_a_jwt_whose_times_are_milliseconds() -> None:
    signed = token("name.secret-of-some-length-that-is-enough", now=1_700_000_000.5)
    assert jwt.get_unverified_header(signed) == {"alg": "HS256", "sign_type": "SIGN"}
    options = {"verify_exp": False}
    claims = jwt.decode(signed, "secret-of-some-length-that-is-enough", algorithms=["HS256"], options=options)
    assert claims == {"api_key": "name", "exp": 1_700_000_210_500, "timestamp": 1_700_000_000_500}


def test_a_token_serves_three_minutes_and_until_it_is_renewed() -> None:
    now = [1000.0]
    signer = Signer("name.secret", clock=lambda: now[0])
    first = signer.token()
    now[0] += 179
    assert signer.token() == first
    now[0] += 1
    second = signer.token()
    assert second != first
    now[0] -= 500  # the clock was set back
    third = signer.token()
    assert third != second
    now[0] += 1
    signer.renew()
    assert signer.token() != third
    assert "secret" not in repr(signer)


@pytest.mark.parametrize(
    "key", ["", "plain-key-0123", ".secret-0123", "name."], ids=["none", "no dot", "no id", "no secret"]
)
def test_a_key_that_cannot_sign_says_so_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match=r"id\.secret") as caught:
        token(key, now=0.0)
    assert "0123" not in str(caught.value)
