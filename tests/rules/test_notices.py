"""What may stand in a notice, and when one is tried again."""

import unicodedata
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import Language
from rules.letters import Writer
from rules.notices import (
    CODE_MASK,
    MOST_TRIES,
    deliverable,
    one_line,
    paragraphs,
    pause,
    reason_kept,
    with_code,
)

INJECTIONS = [
    "Bea\r\nBcc: eve@evil.example",
    "Bea\nX: y",
    "Bea\rX: y",
    "Bea\u2028X: y",
    "Bea\u2029X: y",
    "Bea\x85X: y",
    "Bea\x0b\x0c\x1c\x1d\x1eX: y",
    "Bea\x00",
    "=?utf-8?q?Bea=0D=0ABcc:_eve@evil.example?=",
    "\u202eaeB",
]


def test_pauses_grow_and_end_after_more_than_four_days() -> None:
    pauses = [pause(tries) for tries in range(1, MOST_TRIES)]
    known = [each for each in pauses if each is not None]
    assert len(known) == len(pauses)
    assert known == sorted(known)
    assert known[0] == timedelta(seconds=30)
    assert timedelta(days=4) < sum(known, timedelta()) < timedelta(days=5)
    assert pause(MOST_TRIES) is pause(MOST_TRIES + 1) is None


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_name_is_one_line_and_reads_in_one_direction(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert not set("\r\n\x00\x0b\x0c\x85\u2028\u2029\u202e") & set(line)


@given(st.text())
def test_any_text_becomes_one_line_once(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert line == line.strip() == one_line(line)
    assert not any(unicodedata.category(each) in ("Cc", "Cs", "Zl", "Zp") for each in line)


@given(st.text())
def test_a_message_keeps_its_lines_and_nothing_that_cannot_be_read(text: str) -> None:
    kept = paragraphs(text)
    assert kept.splitlines() == kept.split("\n") if kept else True
    assert not any(unicodedata.category(each) == "Cc" for each in kept if each != "\n")
    assert paragraphs(kept) == kept


def test_a_reason_is_one_line_and_not_too_long() -> None:
    assert reason_kept("550 no\r\nsuch user") == "550 no such user"
    assert len(reason_kept("x" * 10_000)) == 500


@pytest.mark.parametrize(
    "address",
    ["bea@customers.example", "no-reply@localhost", "a.b+c@x-y.example", "o'brien@x.ie", "jürgen@müller.de"],
)
def test_a_plain_address_can_be_delivered_to(address: str) -> None:
    assert deliverable(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "bea",
        "@customers.example",
        "bea@",
        "bea@customers..example",
        "bea..b@customers.example",
        "bea@customers.example, eve@evil.example",
        "bea,eve@evil.example",
        "bea;eve@evil.example",
        "bea@customers.example\r\nBcc: eve@evil.example",
        "bea@customers.example\nRCPT TO:<eve@evil.example>",
        "<bea@customers.example>",
        "bea@customers.example> SIZE=1",
        '"bea eve"@customers.example',
        "bea(eve)@customers.example",
        "bea@[127.0.0.1]",
        "bea@\x01customers.example",
        "b@e@customers.example",
        "x" * 65 + "@customers.example",
    ],
)
def test_whatever_else_is_no_address(address: str) -> None:
    assert not deliverable(address)


@given(st.text(max_size=40).filter(lambda text: "\x00" not in text), st.text(max_size=40))
def test_the_code_is_put_where_it_belongs_whatever_people_are_called(name: str, user_name: str) -> None:
    letter = Writer("Shop", "http://shop.example", "help@shop.example", Language.ENGLISH).activation(
        name, user_name
    )
    sent = with_code(letter.body, "7K2M-Q9XA-0D4T-WB3E")
    assert "\n    7K2M-Q9XA-0D4T-WB3E\n" in sent
    assert sent.count("7K2M-Q9XA-0D4T-WB3E") == 1 + letter.body.count("7K2M-Q9XA-0D4T-WB3E")


@pytest.mark.parametrize("name", [CODE_MASK, f"\n{CODE_MASK}\n", f"x\n    {CODE_MASK}\n"])
def test_nobody_has_a_name_that_takes_the_codes_place(name: str) -> None:
    writer = Writer(one_line(name), "http://shop.example", "help@shop.example", Language.GERMAN)
    sent = with_code(writer.activation(name, name).body, "7K2M-Q9XA-0D4T-WB3E")
    assert "Aktivierungscode:\n    7K2M-Q9XA-0D4T-WB3E\n" in sent
    assert sent.count("7K2M-Q9XA-0D4T-WB3E") == 1
