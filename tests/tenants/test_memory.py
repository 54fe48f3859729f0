"""Memory: how long something is remembered, and how much."""

import pytest

from tenants import memory
from tenants.memory import Memory


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in a list of one."""
    now = [100.0]
    monkeypatch.setattr("tenants.memory.monotonic", lambda: now[0])
    return now


def test_what_was_kept_is_recalled_for_some_seconds(clock: list[float]) -> None:
    remembered = Memory[str, int](10)
    assert remembered.recall("a") is None
    remembered.keep("a", 1)
    clock[0] += memory.SECONDS - 1
    assert remembered.recall("a") == 1
    clock[0] += 1
    assert remembered.recall("a") is None
    remembered.keep("a", 2)
    assert remembered.recall("a") == 2


def test_what_was_used_longest_ago_makes_room() -> None:
    remembered = Memory[str, int](2)
    remembered.keep("a", 1)
    remembered.keep("b", 2)
    remembered.recall("a")
    remembered.keep("c", 3)
    assert [remembered.recall(each) for each in "abc"] == [1, None, 3]


def test_what_is_heavy_makes_less_room_and_nothing_is_counted_twice() -> None:
    remembered = Memory[str, str](100, weight=len, heaviest=10)
    for _ in range(5):
        remembered.keep("a", "x" * 4)
    remembered.keep("b", "x" * 6)
    assert remembered.recall("a") == "xxxx"
    remembered.keep("c", "x")
    assert [remembered.recall(each) for each in "abc"] == ["xxxx", None, "x"]
    remembered.keep("d", "x" * 11)
    assert [remembered.recall(each) for each in "acd"] == [None, None, None]
