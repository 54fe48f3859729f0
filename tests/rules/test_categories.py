"""The rules of categories: nothing hangs below itself, nor below nothing."""

from hypothesis import given
from hypothesis import strategies as st

from rules.categories import misplaced

CODES = st.sampled_from("abcde")
TREES = st.dictionaries(CODES, st.none() | CODES)


def told(wanted: dict[str, str | None], kept: dict[str, str | None]) -> dict[str, str]:
    return {code: rule.code() for code, rule in misplaced(wanted, kept).items()}


def test_what_hangs_below_itself_or_below_nothing_is_found() -> None:
    wanted = {"a": "b", "b": "c", "c": "b", "d": None, "e": "d"}
    assert told(wanted, {"a": None}) == {
        "a": "CATEGORY_PARENT_UNKNOWN",
        "b": "CATEGORY_BELOW_ITSELF",
        "c": "CATEGORY_BELOW_ITSELF",
    }


def test_a_category_that_is_not_taken_stays_where_it_was() -> None:
    assert told({"b": "a", "a": "b"}, {"a": None, "b": None}).keys() == {"a", "b"}
    assert told({"x": "new", "new": "gone"}, {}).keys() == {"x", "new"}


@given(wanted=TREES, moved=TREES)
def test_what_is_taken_always_leaves_a_tree(
    wanted: dict[str, str | None], moved: dict[str, str | None]
) -> None:
    tree: dict[str, str | None] = {}
    for given_now in (wanted, moved):
        broken = misplaced(given_now, tree)
        tree |= {code: parent for code, parent in given_now.items() if code not in broken}
        for code in tree:
            at: str | None = code
            for _ in range(len(tree) + 1):
                at = tree[at] if at is not None else None
            assert at is None
