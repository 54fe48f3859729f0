"""What a cell of a CSV file may begin with, and how many rows a file has."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.downloads import MOST_ROWS, DownloadFormat, DownloadTooLarge, check_rows, harmless


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "+",
        "-",
        "\uff1d1",
        "\uff0ba",
        "\uff0da",
        "\uff20A",
    ],
)
def test_what_could_run_as_a_formula_is_marked_as_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Mug;=1+1", "Mug;'=1+1"),
        ("Mug\t@SUM(A1)", "Mug\t'@SUM(A1)"),
        ("Mug\n=1+1", "Mug\n'=1+1"),
        ("Mug;\uff1d1+1", "Mug;'\uff1d1+1"),
        ('Mug;"=1+1', "Mug;\"'=1+1"),
        ("=1;+a;-5", "'=1;'+a;-5"),
        ("\r=1", "'\r'=1"),
        (";=1", ";'=1"),
    ],
)
def test_what_follows_where_a_program_splits_begins_no_formula_either(text: str, safe: str) -> None:
    assert harmless(text) == safe


@pytest.mark.parametrize(
    "text", ["", "Mug", "M8; 20 mm", "a;b", "-5", "+49", "-1.50", "+1,234.5", "a=b", "'x", " =1"]
)
def test_plain_numbers_and_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(st.text())
def test_a_harmless_text_is_the_text_and_begins_no_formula(text: str) -> None:
    safe = harmless(text)
    assert safe.replace("'", "") == text.replace("'", "")
    assert not safe.startswith(("\t", "\r", "\n"))
    assert not any(
        part.lstrip('"').startswith(("=", "@", "\uff1d", "\uff20"))
        for part in re.split(r"[;\t\r\n]", safe)[1:]
    )
    assert not safe.startswith(("=", "@", "\uff1d", "\uff20"))


@pytest.mark.parametrize("format", DownloadFormat)
def test_a_file_has_no_more_rows_than_are_made(format: DownloadFormat) -> None:
    most = MOST_ROWS[format]
    check_rows(most, format)
    with pytest.raises(DownloadTooLarge) as refused:
        check_rows(most + 1, format, "filter")
    assert refused.value.path == ("filter",)
    assert (refused.value.rows, refused.value.most) == (most + 1, most)
