"""Letterheads and logos: what a company's documents say of it."""

from typing import Annotated

import strawberry

import resolvers.logos
from rules.logos import ImageType
from schema.fields import field


@strawberry.type(description="What a company's documents say of it; empty texts are not printed.")
class Letterhead:
    """rules.letterheads.Letterhead."""

    address: Annotated[
        list[str],
        field(description="The address as it stands on a letter, the company's name first.", size=4),
    ]
    vat_id: Annotated[str, field(description="The VAT id.")]
    registration: Annotated[str, field(description="Where the company is registered.")]
    phone: Annotated[str, field(description="The phone number.")]
    email: Annotated[str, field(description="The e-mail address.")]
    web: Annotated[str, field(description="The address on the web.")]
    account_holder: Annotated[str, field(description="Whose bank account it is.")]
    iban: Annotated[str, field(description="The account to pay to, without spaces.")]
    bic: Annotated[str, field(description="The bank's BIC.")]
    bank: Annotated[str, field(description="The bank's name.")]
    payment_terms_en: Annotated[str, field(description="How invoices are to be paid, in English.")]
    payment_terms_de: Annotated[str, field(description="How invoices are to be paid, in German.")]
    footer_en: Annotated[str, field(description="What stands at the foot of each page, in English.")]
    footer_de: Annotated[str, field(description="What stands at the foot of each page, in German.")]


@strawberry.type(description="The picture that stands on a company's documents.")
class PortalLogo:
    """db.logos.PortalLogo."""

    type: Annotated[ImageType, field(resolvers.logos.type_of, description="What kind of picture it is.")]
    width: Annotated[int, field(description="How many pixels it is wide.")]
    height: Annotated[int, field(description="How many pixels it is high.")]
    image: Annotated[str, field(resolvers.logos.image, description="The picture, in base64.")]
