"""Mails as bytes: exactly our headers, whatever people are called; the same each time."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.notices import one_line
from tenants.mail import Draft, MailRefused, composed
from tests.rules.test_notices import INJECTIONS

DRAFT = Draft(
    key="0197-key",
    sender="no-reply@kontor.example",
    sender_name="Nordlicht Großhandel",
    recipient="greta@kunden.example",
    reply_to="hilfe@nord.example",
    at=datetime(2026, 11, 25, 12, 30, tzinfo=UTC),
    language="de",
    subject="Ihre Aufträge SO-000001, SO-000002",
    body="Guten Tag Greta,\n\nschön.\n" + "x" * 5_000 + "\n.\n-- \nNordlicht\n",
)
HEADERS = [
    "Auto-Submitted",
    "Content-Language",
    "Content-Transfer-Encoding",
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Message-ID",
    "Reply-To",
    "Subject",
    "To",
]


def test_a_mail_says_who_wrote_what_to_whom_and_that_a_machine_did() -> None:
    mail = composed(DRAFT)
    assert (mail.sender, mail.recipient) == ("no-reply@kontor.example", "greta@kunden.example")
    read = message_from_bytes(mail.content, policy=policy.SMTP)
    assert sorted(read.keys()) == HEADERS
    assert read["From"] == "Nordlicht Großhandel <no-reply@kontor.example>"
    assert read["To"] == "greta@kunden.example"
    assert read["Reply-To"] == "hilfe@nord.example"
    assert read["Subject"] == "Ihre Aufträge SO-000001, SO-000002"
    assert read["Date"] == "Wed, 25 Nov 2026 12:30:00 +0000"
    assert read["Message-ID"] == "<0197-key@kontor.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Content-Language"] == "de"
    assert read.get_content().replace("\r\n", "\n") == DRAFT.body
    assert not read.defects


def test_it_is_ascii_in_short_lines_and_the_same_each_time() -> None:
    mail = composed(DRAFT)
    assert mail.content.isascii()
    assert max(len(line) for line in mail.content.split(b"\r\n")) <= 78
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert composed(DRAFT) == mail


@pytest.mark.parametrize(
    "text", [*INJECTIONS, "x" * 300, "ä" * 300, "Müller, Hans <x@y.de>", '"quoted"', "a, b"]
)
def test_no_name_and_no_subject_adds_a_header(text: str) -> None:
    read = message_from_bytes(
        composed(replace(DRAFT, sender_name=text, subject=text)).content, policy=policy.SMTP
    )
    assert sorted(read.keys()) == HEADERS
    (sender,) = read["From"].addresses
    assert sender.addr_spec == "no-reply@kontor.example"
    assert len(read["To"].addresses) == 1


@given(st.text(max_size=200), st.text(max_size=300))
def test_whatever_a_portal_is_called_the_mail_is_one_mail(name: str, subject: str) -> None:
    mail = composed(replace(DRAFT, sender_name=name, subject=subject))
    read = message_from_bytes(mail.content, policy=policy.SMTP)
    assert sorted(read.keys()) == HEADERS
    assert [each.addr_spec for each in read["From"].addresses] == ["no-reply@kontor.example"]
    assert [each.addr_spec for each in read["To"].addresses] == ["greta@kunden.example"]
    assert read.get_content().replace("\r\n", "\n") == DRAFT.body


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["C", "Z"]), max_size=60))
def test_names_arrive_as_they_are(name: str) -> None:
    read = message_from_bytes(composed(replace(DRAFT, sender_name=name, subject=name)).content)
    # The newer way to read puts spaces into long names.
    sender, subject = (str(make_header(decode_header(read[each]))) for each in ("From", "Subject"))
    assert subject == one_line(name)
    known = f'"{quote(name)}"' if name.isascii() and "=?" not in name else one_line(name)
    assert sender == (f"{known} <no-reply@kontor.example>" if name else "<no-reply@kontor.example>")


@pytest.mark.parametrize(
    "address", ["", "x", "x@y@z", "a, b@c.de", "bea@x.de\r\nBcc: eve@evil.example", "a@" + "ä" * 80 + ".de"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(MailRefused, match="no address"):
        composed(replace(DRAFT, recipient=address))


def test_a_domain_in_other_letters_is_sent_as_servers_look_it_up() -> None:
    mail = composed(replace(DRAFT, recipient="hans@müller.example"))
    assert (mail.recipient, mail.international) == ("hans@xn--mller-kva.example", False)
    mail = composed(replace(DRAFT, recipient="jürgen@müller.example"))
    assert (mail.recipient, mail.international) == ("jürgen@xn--mller-kva.example", True)
    assert "\r\nTo: jürgen@xn--mller-kva.example\r\n".encode() in mail.content


def test_a_support_address_that_cannot_be_answered_to_is_left_out() -> None:
    read = message_from_bytes(composed(replace(DRAFT, reply_to="none")).content, policy=policy.SMTP)
    assert "Reply-To" not in read
