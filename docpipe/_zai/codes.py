"""The platform's error codes -> what to do (data, and one look into it)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from docpipe._http.retrying import LATER, Complaint, Rule, Verdict, status_rule, verdict
from docpipe.errors import OutOfCredit, RateLimited, Refused

BEIJING = timezone(timedelta(hours=8))
"""The zone of every time in the platform's messages; they name none."""

KEY = "check the variable with the key (ZAI_API_KEY), and that the key belongs to this base_url"
ACCOUNT = "see to the account on the platform's web site"
TOP_UP = (
    "top up the account or buy a package on the platform's web site; or use pipelines/quickstart.yaml, which is free"
)
WAIT = "wait for the time it names, or buy more on the platform's web site; what is done is kept"
REPORT = "this is a defect of docpipe, or the service has changed: please report it with the code"
LESS = "lower `service.concurrency`"
OPTION = "an option of the stage is outside what the service allows: look at the message"

CODES: Mapping[str, Rule] = {
    "500": Rule(kind="retry", meaning="error within the service", remedy=LATER),
    "1000": Rule(kind="account", meaning="the key was not accepted", remedy=KEY),
    "1001": Rule(kind="wrong", meaning="the service saw no key", remedy=REPORT),
    "1002": Rule(kind="account", meaning="the key is not valid", remedy=KEY),
    "1003": Rule(kind="account", meaning="the token has expired", remedy=f"{KEY}; check this clock", renew=True),
    "1004": Rule(kind="account", meaning="the token was refused", remedy=KEY),
    "1005": Rule(kind="account", meaning="the account wants a second factor", remedy=ACCOUNT),
    "1100": Rule(kind="retry", meaning="the account could not be read", remedy=LATER, tries=2),
    "1110": Rule(kind="account", meaning="the account is not active", remedy=ACCOUNT),
    "1111": Rule(kind="account", meaning="there is no such account", remedy=KEY),
    "1112": Rule(kind="account", meaning="the account is locked", remedy=ACCOUNT),
    "1113": Rule(kind="account", meaning="no balance is left", remedy=TOP_UP, error=OutOfCredit),
    "1120": Rule(kind="retry", meaning="the account cannot be reached", remedy=LATER, tries=3),
    "1121": Rule(kind="account", meaning="the account is locked for irregular use", remedy=ACCOUNT),
    "1200": Rule(kind="retry", meaning="the call failed within the service", remedy=LATER),
    "1210": Rule(kind="wrong", meaning="wrong parameters", remedy=OPTION),
    "1211": Rule(
        kind="wrong",
        meaning="unknown model",
        remedy="check the spelling of `model`, and that this account may use it at this base_url",
    ),
    "1212": Rule(kind="wrong", meaning="the model cannot be called so", remedy="choose another `model`"),
    "1213": Rule(kind="wrong", meaning="a field was not received", remedy=REPORT),
    "1214": Rule(kind="wrong", meaning="a field is not valid", remedy=OPTION),
    "1215": Rule(kind="wrong", meaning="two fields exclude each other", remedy=OPTION),
    "1220": Rule(kind="account", meaning="no permission for this service", remedy=ACCOUNT),
    "1221": Rule(kind="wrong", meaning="the service was retired", remedy="look for a newer docpipe"),
    "1222": Rule(kind="wrong", meaning="there is no such service", remedy="check `service.base_url`"),
    "1230": Rule(kind="retry", meaning="the call failed within the service", remedy=LATER),
    "1231": Rule(
        kind="retry", meaning="the id of the request was used before", remedy=LATER, tries=2, delay_cap=1, error=Refused
    ),
    "1234": Rule(kind="retry", meaning="network error within the service", remedy=LATER),
    "1261": Rule(
        kind="wrong", meaning="the prompt is too long", remedy="lower `context_tokens`, or ask in a new conversation"
    ),
    "1300": Rule(kind="content", meaning="blocked by the service's policy", remedy="leave this content out"),
    "1301": Rule(kind="content", meaning="the service finds the content sensitive", remedy="leave this content out"),
    "1302": Rule(kind="slow_down", meaning="too many calls at once", remedy=LESS),
    "1303": Rule(kind="retry", meaning="too many calls", remedy=LESS, error=RateLimited),
    "1304": Rule(kind="wait", meaning="today's calls are used up", remedy="wait until tomorrow (UTC+8)"),
    "1305": Rule(
        kind="retry",
        meaning="overloaded",
        remedy=f"{LESS}, or {LATER}",
        delay=4,
        delay_cap=120,
        error=RateLimited,
    ),
    "1308": Rule(kind="wait", meaning="the usage limit is reached", remedy=WAIT),
    "1309": Rule(kind="account", meaning="the coding plan has expired", remedy=TOP_UP, error=OutOfCredit),
    "1310": Rule(kind="wait", meaning="the limit of the week or month is reached", remedy=WAIT),
    "1311": Rule(kind="account", meaning="the plan lacks this model", remedy="choose another `model`, or another plan"),
    "1312": Rule(
        kind="retry", meaning="the model is under high traffic", remedy=f"choose another `model`, or {LATER}", tries=3
    ),
    "1313": Rule(kind="account", meaning="restricted for unfair use", remedy="ask the platform to lift it"),
    "1314": Rule(kind="account", meaning="the company's plan is void", remedy=ACCOUNT),
    "1315": Rule(kind="account", meaning="the key belongs to another product", remedy=KEY),
    "1316": Rule(kind="wait", meaning="the limit of 5 hours is reached", remedy=WAIT),
    "1317": Rule(kind="wait", meaning="the limit of 7 days is reached", remedy=WAIT),
    "1318": Rule(kind="wait", meaning="a limit of the plan is reached", remedy=WAIT),
    "1319": Rule(kind="wait", meaning="a limit of the plan is reached", remedy=WAIT),
    "1320": Rule(kind="wait", meaning="a limit of the plan is reached", remedy=WAIT),
    "1321": Rule(kind="wait", meaning="a limit of the plan is reached", remedy=WAIT),
    "1701": Rule(kind="slow_down", meaning="too many web searches at once", remedy=LESS),
    "1702": Rule(kind="account", meaning="no search engine is available", remedy="choose another search engine"),
    "1703": Rule(kind="wrong", meaning="the search engine returned no valid data", remedy="ask in other words"),
}
"""By code; what the service says in its own words is in the error's message too."""

STATUS: Mapping[int, Rule] = {
    434: Rule(kind="account", meaning="the service is not opened for this account", remedy=ACCOUNT),
    435: Rule(kind="wrong", meaning="the file is larger than 100 MB", remedy="send smaller pieces"),
}
"""Statuses that only the platform has."""

FAMILIES: Mapping[str, Rule] = {
    "10": Rule(kind="account", meaning="the key was not accepted", remedy=KEY),
    "11": Rule(kind="account", meaning="something is wrong with the account", remedy=ACCOUNT),
    "13": Rule(kind="retry", meaning="a limit is reached", remedy=f"{LESS}, or {LATER}", tries=3, error=RateLimited),
}
"""Codes of four digits that nobody has described, by their first two."""

_TIME = re.compile(r"(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})")


def classify(complaint: Complaint) -> Verdict:
    """A known code beats the HTTP status; an unknown one belongs to its family, or leaves it to the status."""
    rule = rule_of(complaint)
    at = resets_at(complaint.message) if rule.kind == "wait" else None
    return verdict(rule, complaint, at=at)


def rule_of(complaint: Complaint) -> Rule:
    """The row of the tables that a complaint belongs to."""
    code = complaint.code
    if code in CODES:
        return CODES[code]
    if re.fullmatch(r"1[013]\d\d", code):
        return FAMILIES[code[:2]]
    if re.fullmatch(r"[45]\d\d", code) and complaint.status in (0, 200):
        complaint = replace(complaint, status=int(code))
    return STATUS.get(complaint.status) or status_rule(complaint)


def resets_at(message: str) -> datetime | None:
    """The time in a message, which is UTC+8 and says so nowhere; None where there is none."""
    found = _TIME.search(message)
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=BEIJING)
    except ValueError:
        return None
