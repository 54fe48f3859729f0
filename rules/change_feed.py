"""The change feed: what of all that changes the company's own systems follow."""

from rules.broken import BrokenRule

# Reading the log changes nothing, coming in and going is nobody's business, a file is shared, not uploaded,
# telling of a change is none, and how the portal's own pages ask is no business of an ERP.
UNFOLLOWED = frozenset({"AuditEntry", "Notice", "Session", "TrustedDocument", "Upload", "WebhookDelivery"})

# How many changes a page looks at, however few of them are of the types that it asks for.
STRETCH = 10_000


class ChangesForgotten(BrokenRule):
    """What came after the cursor is not known any more, or the cursor is not from this database's past."""

    english = "What changed since then is not known any more. Take `latest`, read everything anew, and go on from there."
    german = (
        "Was sich seitdem geändert hat, ist nicht mehr bekannt. Nehmen Sie `latest`, lesen Sie alles neu und "
        "fahren Sie von dort fort."
    )


def is_followed(node_type: str) -> bool:
    """Whether changes of objects of a type go into the feed."""
    return node_type not in UNFOLLOWED
