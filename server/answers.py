"""HTTP out: a result as bytes and a status; errors with codes, and without what is nobody's business."""

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.responses import Response
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from db.failures import Contended, Crowded, TooSlow, Unavailable, Unstorable
from resolvers.context import Context
from rules.broken import BrokenRule, BrokenRules, Language
from rules.budgets import RateLimited
from server.requests import GRAPHQL_RESPONSE, MediaType, Refused
from tenants.storage import StorageUnavailable

_log = structlog.get_logger("kontor.errors")

# graphql-core's guesses would name fields to those who may not see the schema.
_SUGGESTION = re.compile(r" Did you mean [^?]*\?")
# It tells values of variables as Python spells them; those who sent JSON know them by that.
_OF_VARIABLE = re.compile(r"(Variable '\$.*?(?:[,;] found|\. Found): )(.*)", re.DOTALL)
_PYTHON = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\b(?:None|True|False)\b", re.DOTALL)
# Some of its messages print the part of the document that they are about.
_LONGEST_MESSAGE = 500
_LONGEST_NAME = 100


@dataclass(slots=True, frozen=True)
class _Fault:
    """What a client is told of a fault of ours."""

    status: HTTPStatus
    code: str
    message: str
    retry_after: int | None = None  # seconds


_FAULTS: dict[type[BaseException], _Fault] = {
    Crowded: _Fault(
        HTTPStatus.TOO_MANY_REQUESTS,
        RateLimited.code(),
        "Too many requests of this portal are waiting already. Try again in a moment.",
        retry_after=1,
    ),
    Unavailable: _Fault(
        HTTPStatus.SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE", "The service is busy. Try again in a moment."
    ),
    StorageUnavailable: _Fault(
        HTTPStatus.SERVICE_UNAVAILABLE, "STORAGE_UNAVAILABLE", "Files cannot be read or kept at this moment."
    ),
    TooSlow: _Fault(HTTPStatus.SERVICE_UNAVAILABLE, "DEADLINE_EXCEEDED", "This took too long and was ended."),
    TimeoutError: _Fault(
        HTTPStatus.SERVICE_UNAVAILABLE, "DEADLINE_EXCEEDED", "This took too long and was ended."
    ),
    Contended: _Fault(
        HTTPStatus.SERVICE_UNAVAILABLE, "CONTENTION", "Others changed the same at this moment. Try again."
    ),
    Unstorable: _Fault(HTTPStatus.BAD_REQUEST, "BAD_USER_INPUT", "A value cannot be stored."),
}
_INTERNAL = _Fault(
    HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR", "Something went wrong here; it was noted."
)


def of_result(
    result: ExecutionResult, media: MediaType, *, language: Language, request_id: str
) -> tuple[Response, list[str]]:
    """The answer to an operation that was looked at, and the codes of its errors.

    An operation that was not run is 400 for clients that accept graphql-response+json and 200 for the
    others, as GraphQL over HTTP has it; a fault of ours is 5xx for both, and too much at once 429, which is for whoever
    stands between to know.
    """
    told = tell(result, language=language, request_id=request_id)
    status = HTTPStatus.OK
    if not told.run or result.data is None:
        if told.worst >= HTTPStatus.TOO_MANY_REQUESTS:
            status = told.worst
        elif not told.run and media == GRAPHQL_RESPONSE:
            status = HTTPStatus.BAD_REQUEST
    return _response(told.body, status, media), told.codes


@dataclass(slots=True, frozen=True)
class Told:
    """A result as clients see it: the body, whether anything was run, the codes and worst status of its errors."""

    body: dict[str, Any]
    run: bool
    codes: list[str]
    worst: HTTPStatus


def tell(result: ExecutionResult, *, language: Language, request_id: str) -> Told:
    """What is told of a result, on whatever way it goes out."""
    valid = not isinstance(result, PreExecutionError)
    run = valid and not (result.data is None and all(error.path is None for error in result.errors or ()))
    errors = [
        each for error in result.errors or () for each in _formatted(error, valid, language, request_id)
    ]
    body: dict[str, Any] = {"errors": [formatted for formatted, _ in errors]} if errors else {}
    if run:
        body["data"] = result.data
    if result.extensions:
        body["extensions"] = result.extensions
    codes = [formatted["extensions"]["code"] for formatted, _ in errors]
    return Told(body, run, codes, max((status for _, status in errors), default=HTTPStatus.OK))


def of_refusal(refused: Refused, media: MediaType) -> Response:
    """The answer to a request that is no GraphQL operation."""
    response = _response({"errors": errors_of(refused)}, refused.status, media)
    response.headers.update(refused.headers)
    return response


def logged(context: Context) -> dict[str, Any]:
    """What every line of the log says of an operation: the request, the portal, and who asks."""
    viewer, portal = context.viewer, context.known_portal
    return {
        "request_id": context.request_id,
        "portal": portal.slug if portal else None,
        "viewer": str(viewer.actor_id) if viewer else None,
        "viewed_by": str(viewer.viewed_by) if viewer and viewer.viewed_by else None,
        # As the document has it: what a request calls it may be anything, also what is nobody's business.
        "operation": context.operation_name and context.operation_name[:_LONGEST_NAME],
    }


def errors_of(refused: Refused) -> list[dict[str, Any]]:
    """What was refused, as GraphQL tells errors."""
    return [{"message": refused.message, "extensions": {"code": refused.code}}]


def of_fault(error: BaseException, media: MediaType, *, request_id: str) -> tuple[Response, str]:
    """The answer when a fault of ours ended the operation as a whole, and its code."""
    fault = _fault(error, request_id)
    body = {"errors": [{"message": fault.message, "extensions": _extensions(fault.code, fault.retry_after)}]}
    return _response(body, fault.status, media), fault.code


def _response(body: dict[str, Any], status: HTTPStatus, media: MediaType) -> Response:
    headers = {"content-type": f"{media}; charset=utf-8", "cache-control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "1"
    elif status is HTTPStatus.TOO_MANY_REQUESTS:
        waits = [each["extensions"].get("retryAfter", 0) for each in body["errors"]]
        headers["retry-after"] = str(max(waits))
    return Response(orjson.dumps(body), status, headers)


def _formatted(
    error: GraphQLError, valid: bool, language: Language, request_id: str
) -> Sequence[tuple[dict[str, Any], HTTPStatus]]:
    """The error, or each of the rules that it stands for, as a client sees it; with the status it asks for.

    `valid` says that the document passed, so that what is wrong is a value.
    """
    cause = error.original_error
    if isinstance(cause, BrokenRules):
        return [_broken(rule, error, language) for rule in cause.rules]
    if isinstance(cause, BrokenRule):
        return [_broken(cause, error, language)]
    if cause is not None and not isinstance(cause, GraphQLError):
        fault = _fault(cause, request_id)
        return [(_shape(error, fault.message, fault.code, fault.retry_after), fault.status)]
    message = _in_json(_SUGGESTION.sub("", error.message))
    if len(message) > _LONGEST_MESSAGE:
        message = message[:_LONGEST_MESSAGE] + "…"
    return [(_shape(error, message, _code(error, valid)), HTTPStatus.BAD_REQUEST)]


def _in_json(message: str) -> str:
    """The message with null, true and "text" where graphql-core says None, True and 'text'."""
    message = re.sub(r" not to be None\.$", " not to be null.", message)
    told = _OF_VARIABLE.fullmatch(message)
    return told[1] + _PYTHON.sub(_spelled, told[2]) if told else message


def _spelled(found: re.Match[str]) -> str:
    try:
        return orjson.dumps(ast.literal_eval(found[0])).decode()
    except (ValueError, SyntaxError, TypeError):  # a text that was cut short inside an escape
        return found[0]


def _broken(rule: BrokenRule, error: GraphQLError, language: Language) -> tuple[dict[str, Any], HTTPStatus]:
    if isinstance(rule, RateLimited):
        shape = _shape(error, rule.message(language), rule.code(), rule.retry_after)
        return shape, HTTPStatus.TOO_MANY_REQUESTS
    shape = _shape(error, rule.message(language), rule.code())
    if rule.path:
        shape["extensions"]["argument"] = list(rule.path)
    return shape, HTTPStatus.BAD_REQUEST


def _code(error: GraphQLError, valid: bool) -> str:
    """The code of an error that GraphQL itself found, in the words that most clients know."""
    if error.extensions and "code" in error.extensions:
        return str(error.extensions["code"])
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "BAD_USER_INPUT" if valid else "GRAPHQL_VALIDATION_FAILED"


def _fault(error: BaseException, request_id: str) -> _Fault:
    for kind, fault in _FAULTS.items():
        if isinstance(error, kind):
            _log.warning("fault", code=fault.code, cause=str(error), request_id=request_id)
            return fault
    _log.error("fault", code=_INTERNAL.code, request_id=request_id, exc_info=error)
    return _INTERNAL


def _shape(error: GraphQLError, message: str, code: str, retry_after: int | None = None) -> dict[str, Any]:
    shape: dict[str, Any] = {"message": message}
    if error.locations:
        shape["locations"] = [{"line": each.line, "column": each.column} for each in error.locations]
    if error.path is not None:
        shape["path"] = error.path
    shape["extensions"] = _extensions(code, retry_after)
    return shape


def _extensions(code: str, retry_after: int | None) -> dict[str, Any]:
    """Of an error: its code and, where that is known, after how many seconds to try again."""
    return {"code": code} if retry_after is None else {"code": code, "retryAfter": retry_after}
