"""What is different between two previews."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from rules.previews import Difference, PreviewField, Shown, ShownLine, differences

LINE = ShownLine("A", "1", "2.50", "2.50", "20", "W1", "true", "true")
SHOWN = Shown("1", "EUR", "Quay 1, Hull", "2026-01-02", "2.50", "0.50", "3.00", (LINE,))
WORDS = st.sampled_from(["", "1", "2"])
LINES = st.builds(
    ShownLine, st.sampled_from("ABC"), WORDS, WORDS | st.none(), WORDS | st.none(), WORDS, WORDS, WORDS, WORDS
)
ALL = st.builds(
    Shown,
    WORDS,
    WORDS,
    WORDS | st.none(),
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    st.lists(LINES, unique_by=lambda line: line.sku).map(tuple),
)


@given(ALL, ALL)
def test_there_are_differences_exactly_when_something_is_different(one: Shown, other: Shown) -> None:
    def sorted_lines(shown: Shown) -> Shown:
        return replace(shown, lines=tuple(sorted(shown.lines, key=lambda line: line.sku)))

    assert (differences(one, other) == []) is (sorted_lines(one) == sorted_lines(other))


@given(ALL, ALL)
def test_the_way_back_is_the_same_differences_turned_round(one: Shown, other: Shown) -> None:
    turned = {replace(each, before=each.after, after=each.before) for each in differences(other, one)}
    assert set(differences(one, other)) == turned


def test_a_line_that_came_or_went_is_told_by_its_quantity() -> None:
    other = replace(SHOWN, lines=(replace(LINE, sku="B"),))
    assert differences(SHOWN, other) == [
        Difference(PreviewField.QUANTITY, "A", "1", None),
        Difference(PreviewField.QUANTITY, "B", None, "1"),
    ]
