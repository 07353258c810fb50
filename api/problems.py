"""Every refusal as application/problem+json (RFC 9457). The one place that knows both refusals and HTTP."""

from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from eventsourcing.persistence import OperationalError
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from lifecycle.errors import Kind, Refusal

MEDIA_TYPE = "application/problem+json"

STATUS: dict[Kind, int] = {
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "state": 409,
    "conflict": 409,
    "stale": 412,
    "invalid": 422,
    "unavailable": 503,
    "too_large": 413,
    "too_long": 414,
    "too_slow": 408,
    "unsupported": 415,
}
UNREAD = (408, 413, 414)
"""The rest of such a request is not waited for: the connection ends."""

HTTP_CODES = {404: "no_such_address", 405: "method_not_allowed", 415: "unsupported_media_type"}

_log = structlog.get_logger()


class KeyMissing(Refusal):
    code = "key_missing"
    kind = "unauthenticated"
    en = "This needs a key: send it as Authorization: Bearer <key>."
    zh = "此操作需要密钥：请以 Authorization: Bearer <key> 发送。"


class KeyNotAccepted(Refusal):
    code = "key_not_accepted"
    kind = "unauthenticated"
    en = "The key is not in force."
    zh = "该密钥无效。"


class ProjectionLate(Refusal):
    code = "projection_late"
    kind = "unavailable"
    en = "Position {wanted} was asked for; this answer stands at {position}. Ask again in a moment."
    zh = "请求的位置为 {wanted}，当前答案位于 {position}。请稍后重试。"


class EventUnknown(Refusal):
    code = "event_unknown"
    kind = "not_found"
    en = "There is no event at position {position}."
    zh = "位置 {position} 没有事件。"


def language_of(request: Request) -> str:
    """zh where the caller prefers it, else en."""
    return "zh" if request.headers.get("accept-language", "").lower().startswith("zh") else "en"


def problem(
    status: int, code: str, title: str, detail: str, *, clause: str = "none", instance: str = "", **facts: Any
) -> Response:
    """The answer's bytes; ``facts`` are members beside the standard ones."""
    body = {
        "type": f"urn:certlife:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "clause": clause,
        "instance": instance,
    }
    members = {name: value for name, value in facts.items() if name not in body}
    headers = {"Cache-Control": "no-store"}
    if status == 503:
        headers["Retry-After"] = str(facts.get("retry_after", 1))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in UNREAD:
        headers["Connection"] = "close"
    encoded = msgspec.json.encode(body | members, enc_hook=str)
    return Response(encoded, status, headers, MEDIA_TYPE)


def refused(request: Request, refusal: Refusal) -> Response:
    return problem(
        STATUS[refusal.kind],
        refusal.code,
        refusal.code.replace("_", " "),
        refusal.message(language_of(request)),
        clause=refusal.clause,
        instance=request.url.path,
        **_shown(refusal.facts),
    )


def database_unavailable(path: str, error: Exception) -> Response:
    _log.warning("no database", path=path, problem=str(error))
    detail = "The register's database cannot be reached at the moment. Send the request again, with the same key."
    return problem(503, "database_unavailable", "database unavailable", detail, instance=path)


def unexpected(path: str, error: Exception) -> Response:
    _log.error("unexpected", path=path, exc_info=error)
    detail = "The service failed; the failure was logged."
    return problem(500, "unexpected", "unexpected", detail, instance=path)


def install(app: FastAPI) -> None:
    """Every way in which a request can fail ends as a problem, without a word of what is inside."""

    @app.exception_handler(Refusal)
    def _refusal(request: Request, refusal: Refusal) -> Response:
        return refused(request, refusal)

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: RequestValidationError) -> Response:
        wrong = [{"at": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in error.errors()]
        detail = "; ".join(f"{each['at']}: {each['problem']}" for each in wrong)
        return problem(422, "malformed", "malformed", detail, instance=request.url.path, errors=wrong)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        code = HTTP_CODES.get(error.status_code, "refused")
        answer = problem(error.status_code, code, code.replace("_", " "), str(error.detail), instance=request.url.path)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(OperationalError)
    def _unavailable(request: Request, error: Exception) -> Response:
        return database_unavailable(request.url.path, error)

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> Response:
        return unexpected(request.url.path, error)


def _shown(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if name not in ("status", "type", "title")}
