"""RMA request previews: what would be credited for a request."""

from typing import Annotated

import strawberry

import resolvers.rma_request_previews
from schema.document_lines import PricedLine
from schema.errors import UserError
from schema.fields import field
from schema.money import Totals


@strawberry.type(description="A line as it would be credited.")
class RMACreditPreviewLine(PricedLine):
    """db.credit_notes.CreditNoteLine."""

    invoice_position: Annotated[
        int | None, field(description="The place of its line in the invoice; never null.")
    ]


@strawberry.type(description="The credit note to which a request would lead; nothing of it is posted.")
class RMACreditPreview:
    """resolvers.rma_request_previews.RMACreditPreview."""

    lines: Annotated[
        list[RMACreditPreviewLine],
        field(description="What would be credited; none while there are problems.", size=5),
    ]
    totals: Annotated[
        Totals | None,
        field(
            resolvers.rma_request_previews.totals,
            description="What it would add up to; null while there are problems.",
        ),
    ]
    problems: Annotated[
        list[UserError],
        field(
            resolvers.rma_request_previews.problems,
            description="Why nothing would be credited, e.g. NOTHING_WOULD_BE_CREDITED when all is repaired, declined or "
            "credited already.",
            size=1,
        ),
    ]
