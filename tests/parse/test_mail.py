"""parse.mail: what a mail says, who wrote it, what hangs on it."""

from email.message import EmailMessage

import pytest
from compound import compound, outlook_message
from hypothesis import given
from hypothesis import strategies as st
from office_samples import blob, read, texts

from docpipe.chunk.layout import LayoutChunker
from docpipe.errors import CorruptSource, EncryptedSource
from docpipe.parse.mail import MailParser
from docpipe.parse.office.mime import read_mail
from docpipe.types import BlockKind, Document


def message(text: str = "Hello Ann,\n\nthe lake is frozen.\n", **headers: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Ducks, again", "Bob <bob@example.org>", "ann@example.org"
    mail["Date"] = "Fri, 16 Dec 2022 17:04:16 -0500"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


def parsed(mail: EmailMessage | bytes) -> Document:
    return read(MailParser(), mail if isinstance(mail, bytes) else mail.as_bytes())


def test_subject_body_and_what_stands_above() -> None:
    document = parsed(message())
    assert [(block.kind.value, block.span.of(document.text)) for block in document.blocks] == [
        ("heading", "Ducks, again"),
        ("paragraph", "Hello Ann,"),
        ("paragraph", "the lake is frozen."),
        ("header", "From: Bob <bob@example.org>\nTo: ann@example.org\nDate: Fri, 16 Dec 2022 17:04:16 -0500"),
    ]
    assert document.metadata["author"] == "Bob <bob@example.org>"
    assert document.metadata["date"] == "2022-12-16T17:04:16-05:00"
    assert (document.metadata["subject"], document.metadata["to"]) == ("Ducks, again", "ann@example.org")


def test_every_chunk_tells_who_wrote_it_and_when() -> None:
    (chunk,) = LayoutChunker(tokenizer="characters")(parsed(message()))
    assert chunk.title == "Ducks, again (Bob, 2022-12-16)"
    assert "Bob, 2022-12-16" in chunk.context
    assert parsed(b"From: ann@example.org\n\nx\n").metadata["title"] == "ann@example.org"


def test_plain_text_is_taken_unless_the_html_says_much_more() -> None:
    mail = message()
    mail.add_alternative("<p>Hello <b>Ann</b></p>", subtype="html")
    assert "the lake is frozen." in texts(parsed(mail))
    stub = message("See the web version.")
    stub.add_alternative(f"<h2>News</h2><p>{'The lake froze over. ' * 20}</p>", subtype="html")
    assert texts(parsed(stub))[1] == "News"


def test_attached_files_are_named_and_not_opened() -> None:
    mail = message()
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="größe.pdf")
    document = parsed(mail)
    assert texts(document, BlockKind.HEADER)[0].endswith("\nAttachments: größe.pdf")
    assert document.metadata["attachments"] == "größe.pdf"


def test_an_enclosed_mail_follows_under_its_subject() -> None:
    mail = message()
    mail.add_attachment(message("Inner words."))
    document = parsed(mail)
    assert texts(document)[-2:] == ["Ducks, again", "Inner words."]
    assert [block.level for block in document.blocks if block.kind is BlockKind.HEADING] == [1, 2]


def test_headers_and_bodies_of_other_encodings() -> None:
    raw = b"Subject: =?utf-8?b?R3LDtsOfZQ==?= =?iso-8859-1?q?=E4?=\nFrom: \xc3\xa4@x\n"
    raw += b"Content-Type: text/plain; charset=iso-8859-1\n\nGr\xf6\xdfe\n"
    document = parsed(raw)
    assert texts(document) == ["Größeä", "Größe"]
    assert document.metadata["author"] == "ä@x"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_mail_saved_in_another_encoding_is_a_mail(encoding: str) -> None:
    raw = "MIME-Version: 1.0\nSubject: Test Email\n\nRoses are red.\n".encode(encoding)
    assert texts(parsed(raw)) == ["Test Email", "Roses are red."]


def test_a_body_for_the_receivers_keys_only_is_refused() -> None:
    raw = b"Subject: x\nContent-Type: multipart/encrypted; boundary=b\n\n--b\nContent-Type: application/pgp-encrypted\n"
    with pytest.raises(EncryptedSource):
        list(MailParser()(blob(raw + b"\nVersion: 1\n--b--\n")))


def test_parts_within_parts_without_end_are_damage_or_text_but_no_hang() -> None:
    depth = 3_000
    raw = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth))
    try:
        parsed(raw.encode())
    except CorruptSource as error:
        assert "nested too deeply" in error.message


def test_a_date_that_is_none_is_left_out() -> None:
    assert "date" not in parsed(b"Date: yesterday\nSubject: x\n\ny\n").metadata


@given(st.binary(max_size=2_000))
def test_any_bytes_are_some_mail(data: bytes) -> None:
    letter, metadata = read_mail(data)
    assert set(metadata) == {"title", "subject", "author", "to", "date", "message_id", "attachments"}
    assert " ".join(letter.subject.split()) == metadata["subject"]


class TestOutlook:
    def test_damage_is_told(self) -> None:
        with pytest.raises(CorruptSource, match="cannot be read"):
            list(MailParser()(blob(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600)))

    def test_a_saved_message_is_read(self) -> None:
        document = parsed(
            compound(outlook_message(subject="Ducks", body="The lake is frozen.", sender="Bob", to="Ann"))
        )
        assert texts(document) == ["Ducks", "The lake is frozen."]
        assert texts(document, BlockKind.HEADER) == ["From: Bob\nTo: Ann"]
        assert document.metadata["author"] == "Bob"


def test_a_message_inside_an_outlook_message_follows_under_its_subject() -> None:
    inner = outlook_message(subject="Inner", body="The ice is thin.", attached={"map.bin": b"x"})
    document = parsed(compound(outlook_message(subject="Outer", body="The lake is frozen.", enclosed=inner)))
    assert texts(document) == ["Outer", "The lake is frozen.", "Inner", "The ice is thin."]
    assert texts(document, BlockKind.HEADER) == ["Attachments: map.bin"]
