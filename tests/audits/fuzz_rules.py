"""What schemathesis is to send where the schema has scalars, and what it looks for in every answer.

It is loaded by schemathesis, in an environment of its own (requirements.txt), and so imports nothing of ours. fuzz.py says what is
known of the portal, and reads what is written down here.
"""

import json
import os
import re
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

_KNOWN: dict[str, list[str]] = json.loads(Path(os.environ["KONTOR_FUZZ_KNOWN"]).read_text())
_SEEN = Path(os.environ["KONTOR_FUZZ_SEEN"])
_MEDIA = "application/graphql-response+json"
_CODE = re.compile(r"[A-Z][A-Z0-9_]*")
# What only we know: how it is made, not what it is for.
_OURS = re.compile(
    r"Traceback|asyncpg|sqlalchemy|strawberry|pydantic|\.py\b|<[\w.]+ object at 0x|row-level security|pg_catalog",
    re.I,
)
# Of a document with one root field.
_END = "\n  }\n}"
_INVALID = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
# A valid document may hold values that are none of the scalar's, or more than one in an input that takes one, which is told so.
_OF_VALUES = re.compile(
    r"A (Decimal|Date|DateTime|CurrencyCode) is |Int cannot represent|OneOf Input Object|Field '\w+\.\w+' must be non-null"
)


def _decimals() -> st.SearchStrategy[str]:
    usual = st.decimals("-1000000", "1000000", places=2, allow_nan=False)
    odd = st.decimals(allow_nan=False, allow_infinity=False) | st.sampled_from(
        [10**18, 10**400, "1E+400", "-0", "NaN", "Infinity", "0.0001", "\u0661\u0662", "1_000", " 1", ""]
    )
    return st.one_of(usual, usual, odd).map(str)


def _moments() -> st.SearchStrategy[str]:
    usual = st.datetimes().map(lambda each: f"{each.isoformat()}Z")
    odd = st.sampled_from(
        ["2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01"]
    )
    return usual | odd


def _days() -> st.SearchStrategy[str]:
    near = st.dates(min_value=date(2026, 1, 1), max_value=date(2027, 12, 31))
    return (near | st.dates()).map(str) | st.sampled_from(["2026-02-30", "0000-00-00", "10000-01-01", ""])


def _currencies() -> st.SearchStrategy[str]:
    return st.sampled_from(["EUR", "GBP", "USD", "JPY", "KWD", "XXX", "eur", "EU", ""]) | st.text(max_size=4)


def _ids() -> st.SearchStrategy[str]:
    """One's own, those of another portal, ones with a character changed, and what is none."""
    own, others = st.sampled_from(_KNOWN["ids"]), st.sampled_from(_KNOWN["others"])
    changed = st.builds(
        lambda each, place, with_: each[: place % len(each)] + with_ + each[place % len(each) + 1 :],
        own,
        st.integers(0, 60),
        st.sampled_from("Aa0=_-"),
    )
    return st.one_of(own, own, own, others, changed, st.text(max_size=40), st.integers().map(str))


def _texts() -> st.SearchStrategy[str]:
    return st.text(max_size=60) | st.sampled_from(_KNOWN["texts"]) | st.just("x" * 5_000)


def _register() -> None:
    for name, values in (
        ("Decimal", _decimals()),
        ("DateTime", _moments()),
        ("Date", _days()),
        ("CurrencyCode", _currencies()),
        ("ID", _ids()),
        ("String", _texts()),
    ):
        schemathesis.graphql.scalar(name, values.map(nodes.String))


_register()


@schemathesis.hook
def map_case(_context: Any, case: Any) -> Any:
    """Let mutations say what they refuse, which is all that tells how far they came."""
    if case.body.startswith("mutation") and case.body.endswith(_END):
        case.body = case.body.removesuffix(_END) + "\n    errors {\n      code\n      message\n    }" + _END
    return case


@cache
def _note() -> Any:
    return _SEEN.open("a")


@schemathesis.check
def is_answered_as_graphql_over_http(_context: Any, response: Any, case: Any) -> None:
    """Every answer is what GraphQL over HTTP says, and tells nothing of what is inside."""
    body = _body(response)
    errors, refusals = body.get("errors", []), _refusals(body.get("data"))
    codes = [str(each.get("extensions", {}).get("code")) for each in errors]
    refused = [str(each["code"]) for each in refusals if "code" in each]
    got = not refusals and any(each is not None for each in (body.get("data") or {}).values())
    _note().write(json.dumps([case.operation.label, response.status_code, codes + refused, got]) + "\n")
    _note().flush()
    assert response.status_code in (200, 400, 429), f"{response.status_code} {codes}"
    assert ("data" in body) == (response.status_code == 200), f"{response.status_code} with {sorted(body)}"
    assert set(body) <= {"data", "errors", "extensions"}, sorted(body)
    assert response.headers["cache-control"] == ["no-store"], response.headers["cache-control"]
    _check_errors(errors)
    for told in refusals:
        assert told.get("code") != "INTERNAL_SERVER_ERROR", told
        assert not _OURS.search(str(told.get("message"))), told
    if case.meta is None or case.meta.generation.mode.is_negative:
        assert errors, "a document that is not valid was run"
        assert "data" not in body, "a document that is not valid was run"
    elif set(codes) & _INVALID:
        invalid = [each["message"] for each, code in zip(errors, codes, strict=True) if code in _INVALID]
        assert all(_OF_VALUES.match(each) for each in invalid), f"a valid document is not: {invalid}"


def _body(response: Any) -> dict[str, Any]:
    kind = response.headers["content-type"][0]
    assert kind == f"{_MEDIA}; charset=utf-8", kind
    body = json.loads(response.content)
    assert isinstance(body, dict), body
    return body


def _refusals(data: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the payloads of mutations say was refused, as far as it was asked for."""
    payloads = [each for each in (data or {}).values() if isinstance(each, dict)]
    return [told for payload in payloads for told in payload.get("errors") or () if isinstance(told, dict)]


def _check_errors(errors: Sequence[dict[str, Any]]) -> None:
    """Each has a message for people and a code for programs, and none is a fault of ours."""
    for error in errors:
        assert set(error) <= {"message", "locations", "path", "extensions"}, error
        assert isinstance(error["message"], str), error
        assert error["message"], error
        code = error["extensions"]["code"]
        assert _CODE.fullmatch(code), error
        assert code != "INTERNAL_SERVER_ERROR", error
        assert not _OURS.search(error["message"]), error
