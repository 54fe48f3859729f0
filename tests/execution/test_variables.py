"""Variables: counted before anything else, and coerced with rests where they are many."""

import time
from typing import Any

import pytest
from graphql.utilities import coerce_input_value
from hypothesis import given
from hypothesis import strategies as st

from execution import variables
from execution.limits import DocumentRefused
from schema.root import schema

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
)
ROWS: list[Any] = 500 * [{"sku": "A", "warehouse": "W", "onHand": "1"}]


def values_in(value: Any) -> int:
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(values_in, within))


@given(st.dictionaries(st.text(), JSON))
def test_each_value_counts_once_however_deep_it_is(given: dict[str, Any]) -> None:
    assert variables.count(given) == values_in(given) - 1


def test_one_too_many_is_refused() -> None:
    assert variables.count({"a": (variables.MOST - 1) * ["x"]}) == variables.MOST
    with pytest.raises(DocumentRefused, match="at most 50000 values"):
        variables.count({"a": variables.MOST * ["x"]})


@given(st.dictionaries(st.text(), JSON))
def test_they_stay_what_they_are(given: dict[str, Any]) -> None:
    with variables.paced(given) as paced:
        assert paced == given


def test_whoever_goes_through_them_rests_for_longer_than_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    rested: list[float] = []
    monkeypatch.setattr("execution.pace.time.sleep", rested.append)
    type_: Any = schema._schema.get_type("StockUpsertInput")
    began = time.thread_time()
    with variables.paced({"input": {"rows": ROWS}}) as paced:
        coerced = coerce_input_value(paced["input"], type_)
    worked = time.thread_time() - began
    assert coerced == coerce_input_value({"rows": ROWS}, type_)
    assert len(rested) > 1
    assert sum(rested) > worked


def test_nobody_rests_on_the_event_loop_when_they_were_coerced(monkeypatch: pytest.MonkeyPatch) -> None:
    with variables.paced({"rows": ROWS}) as paced:
        kept = paced["rows"]
    monkeypatch.setattr("execution.pace.time.sleep", lambda _: pytest.fail("it rests"))
    ends = time.thread_time() + 0.01
    while time.thread_time() < ends:
        assert list(kept) == ROWS
