"""Texts: what is too long, what must say something, what can be an address."""

import pytest

from rules.texts import InvalidEmail, TextMissing, TextTooLong, check_email, check_name, check_text


def test_a_text_may_be_as_long_as_is_kept_and_not_longer() -> None:
    check_text(None, 3)
    check_text("", 3)
    check_text("abc", 3)
    with pytest.raises(TextTooLong) as refused:
        check_text("abcd", 3, "comment")
    assert (refused.value.most, refused.value.path) == (3, ("comment",))


@pytest.mark.parametrize("name", ["", " ", "\n\t"])
def test_a_name_says_something(name: str) -> None:
    check_name(None)
    check_name("x" * 200)
    with pytest.raises(TextMissing):
        check_name(name)
    with pytest.raises(TextTooLong):
        check_name("x" * 201)


@pytest.mark.parametrize("email", ["", "x", "x@", "@x.de", "a b@x.de", "a@b@x.de", "a@x", "a@x..de", "a@.de"])
def test_an_address_has_a_name_an_at_and_a_domain(email: str) -> None:
    check_email(None)
    check_email("käthe.o'brien+tag@mail.example.co.uk")
    with pytest.raises(InvalidEmail):
        check_email(email)
    with pytest.raises(TextTooLong):
        check_email("x" * 250 + "@x.de")
