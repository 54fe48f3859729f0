"""Credit: what a customer may owe, how much of it is used, and what one order more would make of it."""

from dataclasses import dataclass

from rules.broken import BrokenRule


@dataclass(eq=False, kw_only=True)
class CreditLimitExceeded(BrokenRule):
    """An order would take what a customer owes over its credit limit."""

    english = "With this order, more would be owed than the credit limit allows."
    german = "Mit diesem Auftrag würde mehr geschuldet, als das Kreditlimit erlaubt."

    limit: int
    would_be: int
    currency: str


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a customer owes in its own currency, in minor units, and what its orders are still to be invoiced."""

    balance: int
    open_orders: int


@dataclass(frozen=True, slots=True)
class Credit:
    """A limit, what of it is used, and what would be after an order; in minor units of the currency."""

    limit: int
    used: int
    after: int
    currency: str

    @property
    def broken(self) -> CreditLimitExceeded | None:
        """The rule that the order would break. One that costs nothing breaks none."""
        if self.after <= self.limit or self.after <= self.used:
            return None
        return CreditLimitExceeded(limit=self.limit, would_be=self.after, currency=self.currency)


def credit(limit: int, exposure: Exposure, total: int, currency: str) -> Credit:
    """What an order with this total makes of a limit."""
    used = exposure.balance + exposure.open_orders
    return Credit(limit, used, used + total, currency)
