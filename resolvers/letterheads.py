"""Letterheads: what a company says of itself on its documents."""

from dataclasses import asdict
from typing import Any

import strawberry

import db
from db.portals import Portal
from resolvers.context import Context, Info
from rules import letterheads
from rules.broken import BrokenRules
from rules.letterheads import Letterhead


@strawberry.input(
    description="What a company's documents say of it. All of it from now on: what is left out is empty, and "
    "what is empty is not printed."
)
class LetterheadInput:
    """portalUpdate(input: {letterhead:})."""

    address: list[str] = strawberry.field(
        default_factory=list,
        description="The company's address as it stands on a letter, its name first; up to 6 lines.",
    )
    vat_id: str = strawberry.field(default="", description="The VAT id, e.g. DE123456789.")
    registration: str = strawberry.field(
        default="", description="Where the company is registered, e.g. HRB 1234, Amtsgericht Hamburg."
    )
    phone: str = strawberry.field(default="", description="The phone number.")
    email: str = strawberry.field(default="", description="The e-mail address.")
    web: str = strawberry.field(default="", description="The address on the web.")
    account_holder: str = strawberry.field(default="", description="Whose bank account it is.")
    iban: str = strawberry.field(
        default="", description="The account to pay to; its check digits are looked at."
    )
    bic: str = strawberry.field(default="", description="The bank's BIC.")
    bank: str = strawberry.field(default="", description="The bank's name.")
    payment_terms_en: str = strawberry.field(
        default="", description="How invoices are to be paid, in English; up to 1,000 characters."
    )
    payment_terms_de: str = strawberry.field(default="", description="The same in German.")
    footer_en: str = strawberry.field(
        default="", description="What stands at the foot of each page, in English; up to 1,000 characters."
    )
    footer_de: str = strawberry.field(default="", description="The same in German.")


async def of_portal(root: strawberry.Parent[Portal], info: Info) -> Letterhead | None:
    """Portal.letterhead: None for who is not signed in."""
    context = info.context
    if context.viewer is None:
        return None
    if root.tenant_id == context.tenant_id:
        return await db.letterheads.of_tenant(context.connection)
    # Whoever was shown the row of a sister company may enter it: db.portals.entered_by has asked.
    async with context.connection.visiting(root.tenant_id) as sister:
        return await db.letterheads.of_tenant(sister)


async def change(context: Context, given: LetterheadInput | None) -> tuple[Letterhead, Letterhead]:
    """Give the company another letterhead, of None the one that it has; before and after. Raises BrokenRules."""
    had = await db.letterheads.of_tenant(context.connection)
    if given is None:
        return had, had
    new = _letterhead(given)
    wrong = [rule.at("letterhead") for rule in letterheads.check(new)]
    if wrong:
        raise BrokenRules(wrong)
    await db.letterheads.keep(context.connection, new)
    return had, new


def _letterhead(given: LetterheadInput) -> Letterhead:
    texts: dict[str, Any] = {
        name: _tidy(value)
        for name, value in asdict(given).items()
        if name not in ("address", "vat_id", "iban", "bic")
    }
    return Letterhead(
        address=tuple(line for line in (_tidy(each) for each in given.address) if line),
        vat_id=letterheads.compact(given.vat_id),
        iban=letterheads.compact(given.iban),
        bic=letterheads.compact(given.bic),
        **texts,
    )


def _tidy(text: str) -> str:
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
