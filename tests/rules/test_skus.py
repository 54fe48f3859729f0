"""SKUs that were mistyped, and what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.skus import nearest, neighbours

THERE = ["K-1001", "K-1002", "K-1003-XL", "MUG"]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("K-101", "K-1001"),
        ("K-10021", "K-1002"),
        ("K-0102", "K-1002"),
        ("K-2001", "K-1001"),
        ("K-7777", None),
        ("K-1020", "K-1002"),
        ("k-1001", "K-1001"),
        (" K-1002 ", "K-1002"),
        ("K-1003", "K-1001"),
        ("K-1003-", "K-1003-XL"),
        ("MUG-LARGE", "MUG"),
        ("MU", "MUG"),
        ("M", None),
        ("", None),
        ("X" * 5_000, None),
    ],
)
def test_what_is_a_letter_off_or_begins_alike_is_found(asked: str, meant: str | None) -> None:
    assert nearest(asked, neighbours(asked), THERE) == meant


@given(st.text(alphabet="ABC123-", min_size=3, max_size=10), st.data())
def test_one_letter_more_less_or_other_is_always_a_neighbour(sku: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(sku) - 1))
    letter = data.draw(st.sampled_from("ABC123-"))
    for typo in (sku[:place] + letter + sku[place + 1 :], sku[:place] + letter + sku[place:]):
        assert sku in neighbours(typo) | {typo}
