"""What the platform refuses, and in which words: the error table of the contract as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Shape = Literal["nested", "flat", "integer", "string", "msg", "html", "plain", "gateway", "openai"]

TABLE: Mapping[str, tuple[int, str]] = {
    "500": (500, "Internal server error"),
    "1000": (401, "Authentication failed"),
    "1001": (401, "Authentication parameter was not received in the header"),
    "1002": (401, "The authorization token is invalid"),
    "1003": (401, "The authorization token has expired"),
    "1004": (401, "Authentication with the given token failed"),
    "1005": (401, "A second factor is required"),
    "1100": (429, "Account read/write"),
    "1110": (429, "Your account is currently inactive"),
    "1111": (429, "Your account does not exist"),
    "1112": (429, "Your account has been locked"),
    "1113": (429, "Insufficient balance or no resource package. Please recharge."),
    "1120": (429, "Unable to access your account, try again later"),
    "1121": (429, "Your account is locked for irregular activities"),
    "1200": (500, "API call error"),
    "1210": (400, "Incorrect API call parameters"),
    "1211": (400, "Unknown model, check the model code"),
    "1212": (400, "The model does not support this call method"),
    "1213": (400, "A parameter was not received properly"),
    "1214": (400, "Input cannot be empty"),
    "1215": (400, "Two parameters cannot be set at the same time"),
    "1220": (403, "You do not have permission to access this API"),
    "1221": (400, "This API has been taken offline"),
    "1222": (400, "This API does not exist"),
    "1230": (500, "API call process error"),
    "1231": (400, "You already have a request: {request_id}"),
    "1234": (500, "Network error, error id: 20260118102255"),
    "1261": (400, "Prompt exceeds max length"),
    "1300": (400, "API call blocked due to policy"),
    "1301": (400, "Potentially unsafe or sensitive content in input or generation"),
    "1302": (429, "High concurrency usage of this API, reduce concurrency"),
    "1303": (429, "High frequency usage of this API, reduce frequency"),
    "1304": (429, "Daily call limit for this API reached"),
    "1305": (429, "The service may be temporarily overloaded, try again later"),
    "1308": (429, "Usage limit reached for 5 hour. Your limit will reset at 2026-01-18 21:35:41"),
    "1309": (429, "Your coding plan has expired"),
    "1310": (429, "Weekly/Monthly limit exhausted. Your limit will reset at 2026-01-25 00:00:00"),
    "1311": (429, "Your plan does not include this model"),
    "1312": (429, "The model is under high traffic, use another model or try again later"),
    "1313": (429, "Your account is restricted by the fair use policy"),
    "1314": (429, "The company plan is void"),
    "1315": (429, "The key is bound to another product"),
    "1316": (429, "5-hour limit reached, no overflow budget. Resets at 2026-01-18 21:35:41"),
    "1317": (429, "7-day limit reached, no overflow budget. Resets at 2026-01-25 00:00:00"),
    "1318": (429, "已达到 5 小时的使用上限。您的限额将在 2026-01-18 21:35:41 重置"),
    "1319": (429, "已达到 7 天的使用上限。您的限额将在 2026-01-25 00:00:00 重置"),
    "1320": (429, "5-hour limit reached. Resets at 2026-01-18 21:35:41"),
    "1321": (429, "7-day limit reached. Resets at 2026-01-25 00:00:00"),
    "1701": (429, "Web search concurrency reached"),
    "1702": (400, "No search engine available"),
    "1703": (400, "The search engine returned no valid data"),
}
"""Code -> HTTP status, message."""


@dataclass(kw_only=True)
class Refusal(Exception):
    """The platform says no."""

    code: str
    message: str = ""
    status: int = 0
    shape: Shape = "nested"
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        status, message = TABLE.get(self.code, (400, "Error"))
        self.status, self.message = self.status or status, self.message or message


def body(code: str, message: str, shape: Shape, *, status: int, path: str) -> tuple[str, Any]:
    """-> media type and what is sent: a value to be sent as JSON, or bytes."""
    number = int(code) if code.isdigit() else code
    match shape:
        case "nested":
            return "application/json", {"error": {"code": code, "message": message}}
        case "integer":
            return "application/json", {"error": {"code": number, "message": message}}
        case "flat":
            return "application/json", {"code": number, "message": message}
        case "msg":
            return "application/json", {"code": number, "msg": message, "success": False}
        case "string":
            return "application/json", {"error": message}
        case "gateway":
            return "application/json", {
                "timestamp": "2026-01-18T02:25:34.615+00:00",
                "status": status,
                "error": message,
                "path": path,
            }
        case "openai":
            kind = "NotFoundError" if status == 404 else "BadRequestError"
            return "application/json", {"error": {"message": message, "type": kind, "param": None, "code": status}}
        case "html":
            page = f"<html><head><title>{status}</title></head><body><h1>{status} {message}</h1></body></html>"
            return "text/html", page.encode()
        case "plain":
            return "text/plain", message.encode()


def missing(name: str) -> Refusal:
    """A field was not received."""
    return Refusal(code="1213", message=f"{name} parameter not received properly")


def invalid(what: str) -> Refusal:
    """A field is invalid."""
    return Refusal(code="1214", message=what)


def unknown(name: str) -> Refusal:
    """A field the contract does not have."""
    return Refusal(code="1210", message=f"Incorrect API call parameters: unknown field {name}")
