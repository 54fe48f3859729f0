"""The rules of categories: nothing hangs below itself, nor below nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.categories import misplaced

CODES = st.sampled_from("abcde")
LARGER = st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefghij"))
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


def told_slowly(wanted: dict[str, str | None], kept: dict[str, str | None]) -> dict[str, str]:
    """The same, by looking at every way up again after every round of what is dropped."""
    taken = dict(wanted)
    broken: dict[str, str] = {}
    while True:
        tree = kept | taken
        bad = {
            code: "CATEGORY_PARENT_UNKNOWN"
            for code, parent in taken.items()
            if parent is not None and parent not in tree
        }
        for code in taken:
            at = tree[code]
            for _ in tree:
                if at == code:
                    bad.setdefault(code, "CATEGORY_BELOW_ITSELF")
                at = tree.get(at) if at is not None else None
        if not bad:
            return broken
        broken |= bad
        taken = {code: parent for code, parent in taken.items() if code not in bad}


@settings(max_examples=500)
@given(wanted=LARGER, kept=LARGER)
def test_what_is_found_is_what_looking_at_all_again_and_again_finds(
    wanted: dict[str, str | None], kept: dict[str, str | None]
) -> None:
    assert told(wanted, kept) == told_slowly(wanted, kept)


MANY = 20_000


def chain(first: str | None, name: str = "c") -> dict[str, str | None]:
    """Many categories, each below the one before."""
    return {f"{name}{n}": f"{name}{n - 1}" if n else first for n in range(MANY)}


def test_a_long_chain_falls_with_its_first_and_stands_with_it() -> None:
    kept = dict.fromkeys(f"k{n}" for n in range(5_000))
    for wanted in (chain("missing"), dict(reversed(chain("missing").items()))):
        assert told(wanted, kept) == dict.fromkeys(wanted, "CATEGORY_PARENT_UNKNOWN")
    assert told(chain("k1"), kept) == {}
    assert told(chain(f"c{MANY - 1}"), kept) == dict.fromkeys(chain(None), "CATEGORY_BELOW_ITSELF")
    # Its first was kept: it alone falls back to there, and all others stay on it.
    assert told(chain("missing"), kept | {"c0": "k1"}) == {"c0": "CATEGORY_PARENT_UNKNOWN"}


def test_many_circles_that_open_one_after_another_through_one_long_branch_are_all_found() -> None:
    # Each one of t that is dropped falls back below the next, which closes the circle through the branch again.
    kept = chain("t0") | {f"t{n}": f"t{n + 1}" for n in range(MANY)} | {f"t{MANY}": None}
    wanted: dict[str, str | None] = {f"t{n}": f"c{MANY - 1}" for n in range(MANY)}
    assert told(wanted, kept) == dict.fromkeys(wanted, "CATEGORY_BELOW_ITSELF")


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
