"""File names: none leads out of its folder, and none is another's."""

from hypothesis import given
from hypothesis import strategies as st

from server.file_names import unlike


@given(
    st.lists(
        st.text(max_size=40) | st.sampled_from(["..", "../x", "/etc/passwd", "A.pdf", "a.pdf", "CON", "a/b"])
    )
)
def test_every_name_is_a_file_of_its_own_in_one_folder(given_names: list[str]) -> None:
    found = list(unlike(given_names))
    assert len(found) == len(given_names)
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert name
        assert name == name.strip(" ")
        assert not name.startswith(".")
        assert not set(name) & set('/\\:*?"<>|%\0\n\r')


def test_names_stay_as_they_are_where_they_can() -> None:
    assert list(unlike(["Invoice 7.pdf", "invoice 7.PDF", "Rechnung 2026/1.pdf"])) == [
        "Invoice 7.pdf",
        "invoice 7 (2).PDF",
        "Rechnung 2026_1.pdf",
    ]
