"""What a cell of a CSV file may begin with, and how many rows a file has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.downloads import MOST_ROWS, DownloadFormat, DownloadTooLarge, check_rows, harmless


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "\r=1", "\n=1", "+", "-"]
)
def test_what_could_run_as_a_formula_is_marked_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Mug", "-5", "+49", "-1.50", "+1,234.5", "a=b", "'x", " =1"])
def test_plain_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_a_harmless_text_is_the_text_and_begins_no_formula(text: str) -> None:
    safe = harmless(text)
    assert safe in (text, f"'{text}")
    assert not (safe.startswith(("=", "@", "\t", "\r", "\n")))


@pytest.mark.parametrize("format", DownloadFormat)
def test_a_file_has_no_more_rows_than_are_made(format: DownloadFormat) -> None:
    most = MOST_ROWS[format]
    check_rows(most, format)
    with pytest.raises(DownloadTooLarge) as refused:
        check_rows(most + 1, format, "filter")
    assert refused.value.path == ("filter",)
    assert (refused.value.rows, refused.value.most) == (most + 1, most)
