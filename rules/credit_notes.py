"""Credit notes and goods returns: how much of an invoice is left to come back or to be credited."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from rules.amounts import line_amount
from rules.broken import BrokenRule
from rules.documents import CreditOperation
from rules.invoices import check_quantity, check_standing
from rules.money import to_major

_PRICE_PLACES = Decimal("0.000001")


@dataclass(eq=False, kw_only=True)
class MoreThanInvoiced(BrokenRule):
    """More is to be credited, or to come back, than was invoiced and is not credited or back yet."""

    english = "Only {left} of {sku} are left of this line."
    german = "Von {sku} sind in dieser Position nur noch {left} übrig."

    sku: str
    left: Decimal


@dataclass(eq=False, kw_only=True)
class CreditTooLarge(BrokenRule):
    """More money is to be credited than is left of a line of the invoice."""

    english = "Only {left} {currency} are left of the line of {sku}."
    german = "Von der Position {sku} sind nur noch {left} {currency} übrig."

    sku: str
    left: Decimal
    currency: str


@dataclass(eq=False, kw_only=True)
class CreditPriceInvalid(BrokenRule):
    """What is credited for one unit is nothing, or more than was charged for it."""

    english = "Credit more than zero and at most {most} for one unit, with at most six decimal places."
    german = "Schreiben Sie je Einheit mehr als null und höchstens {most} gut, mit höchstens sechs Nachkommastellen."

    most: Decimal


class NothingToCredit(BrokenRule):
    """All of an invoice is credited already."""

    english = "Nothing of this invoice is left to be credited."
    german = "Von dieser Rechnung ist nichts mehr gutzuschreiben."


class NothingToReturn(BrokenRule):
    """All of an invoice has come back already."""

    english = "Nothing of this invoice is left to come back."
    german = "Von dieser Rechnung kann nichts mehr zurückkommen."


@dataclass(eq=False, kw_only=True)
class MoreThanReturned(BrokenRule):
    """More is to be credited for a goods return than came back with it and is not credited yet."""

    english = "Only {left} of {sku} came back and are not credited yet."
    german = "Von {sku} sind nur {left} zurückgekommen und noch nicht gutgeschrieben."

    sku: str
    left: Decimal


class ReturnCredited(BrokenRule):
    """All that came back with a goods return is credited already."""

    english = "All of this goods return is credited already."
    german = "Diese Warenrückgabe ist bereits ganz gutgeschrieben."


class GoodsReturnOfAnother(BrokenRule):
    """A credit note names the return of another invoice's goods, or one that was reversed."""

    english = "This goods return is not one of this invoice, or it was reversed."
    german = "Diese Warenrückgabe gehört nicht zu dieser Rechnung, oder sie wurde storniert."


class GoodsReturnNotForOperation(BrokenRule):
    """Only a sales return has goods that came back."""

    english = "A goods return belongs to a credit note for a sales return."
    german = "Eine Warenrückgabe gehört zu einer Gutschrift für eine Rücksendung."


@dataclass(frozen=True, slots=True)
class InvoicedLine:
    """A line of an invoice, with what of it was credited and came back; what is reversed does not count.

    `amount` and `credited_amount` are minor units, with tax where the invoice's prices include it; `credits` is by how
    many lines of credit notes something of it was credited, `discounted_amount` what of that was discounts on it.
    """

    invoice_id: UUID
    position: int
    product_id: UUID | None
    sku: str
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    amount: int
    credited_quantity: Decimal
    credited_amount: int
    returned_quantity: Decimal
    credits: int
    discounted_amount: int

    @property
    def left_quantity(self) -> Decimal:
        """How much can still be credited as returned or wrong; a discount takes nothing from it."""
        return max(self.quantity - self.credited_quantity, Decimal(0))

    @property
    def left_amount(self) -> int:
        """How much money can still be credited."""
        return max(self.amount - self.credited_amount, 0)

    @property
    def has_money_left(self) -> bool:
        """Whether anything can still be credited; what was for nothing comes back for nothing."""
        return self.left_amount > 0 or (self.amount == 0 and self.left_quantity > 0)

    def price_after_discounts(self, currency: str) -> Decimal:
        """What one unit costs after the discounts that were granted since, with six decimal places at most."""
        if self.discounted_amount == 0:
            return self.unit_price
        left = to_major(max(self.amount - self.discounted_amount, 0), currency)
        return (left / self.quantity).quantize(_PRICE_PLACES, rounding=ROUND_HALF_UP)

    @property
    def left_to_return(self) -> Decimal:
        """How much can still come back."""
        return max(self.quantity - self.returned_quantity, Decimal(0))


def worth_crediting(asked: Mapping[int, Decimal], lines: Iterable[InvoicedLine]) -> dict[int, Decimal]:
    """What is credited of what nobody has named one by one: not the lines of which no money is left, unless there are
    no others; whoever names those is told."""
    left = {line.position for line in lines if line.has_money_left}
    return {place: quantity for place, quantity in asked.items() if place in left} or dict(asked)


@dataclass(frozen=True, slots=True)
class UnnamedCredit:
    """What credit notes took from an invoice whose lines do not say of which line of it: an ERP's, by SKU."""

    invoice_id: UUID
    sku: str
    quantity: Decimal
    amount: int


@dataclass(frozen=True, slots=True)
class ReturnedLine:
    """How much of a line of an invoice came back with one goods return, and how much of that was credited for it."""

    invoice_position: int
    quantity: Decimal
    credited_quantity: Decimal

    @property
    def left(self) -> Decimal:
        """How much can still be credited for the goods return."""
        return max(self.quantity - self.credited_quantity, Decimal(0))


@dataclass(frozen=True, slots=True)
class Credit:
    """How much of a line is credited, at which price for one unit, and what that makes in minor units."""

    quantity: Decimal
    unit_price: Decimal
    amount: int


def spread(lines: Sequence[InvoicedLine], unnamed: Iterable[UnnamedCredit]) -> list[InvoicedLine]:
    """The lines after what was credited of no line in particular: taken from the lines of its SKU in their order, and
    money that is more than those have from all others, so that the lines together never give back more than is left."""
    left = list(lines)
    for each in unnamed:
        quantity, amount = each.quantity, each.amount
        own = [index for index, line in enumerate(left) if line.sku == each.sku]
        for index in (*own, *range(len(left))):
            line = left[index]
            takes = min(quantity, line.left_quantity) if line.sku == each.sku else Decimal(0)
            money = min(amount, line.left_amount)
            left[index] = replace(
                line,
                credited_quantity=line.credited_quantity + takes,
                credited_amount=line.credited_amount + money,
                credits=line.credits + (takes > 0 or money > 0),
            )
            quantity, amount = quantity - takes, amount - money
    return left


def credit_of(
    line: InvoicedLine,
    operation: CreditOperation,
    quantity: Decimal | None,
    unit_price: Decimal | None,
    currency: str,
) -> Credit:
    """What is credited of a line: all that is left when no quantity is said.

    Without a price the quantity credits its share of the money that is left of the line, so that crediting a line in
    any parts gives back exactly what it charged; but never more for a unit than was charged for it. Raises MoreThanInvoiced, CreditTooLarge, CreditPriceInvalid or what
    quantities.check raises.
    """
    is_discount = operation is CreditOperation.DISCOUNT
    most = max(line.quantity, Decimal(0)) if is_discount else line.left_quantity
    asked = most if quantity is None else quantity
    check_quantity(asked, most, line.unit, MoreThanInvoiced(sku=line.sku, left=most))
    if unit_price is None and not is_discount:
        return _share(line, asked, most, currency)
    if (
        unit_price is None
        or not 0 < unit_price <= line.unit_price
        or unit_price != unit_price.quantize(_PRICE_PLACES)
    ):
        raise CreditPriceInvalid(most=line.unit_price, path=("unitPrice",))
    amount = line_amount(asked, unit_price, currency)
    if amount > line.left_amount:
        raise _too_large(line, currency, "unitPrice")
    return Credit(asked, unit_price, amount)


def _share(line: InvoicedLine, quantity: Decimal, most: Decimal, currency: str) -> Credit:
    amount = int((line.left_amount * quantity / most).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    if not line.has_money_left:
        raise _too_large(line, currency, "quantity")
    whole = line_amount(quantity, line.unit_price, currency)
    # Half a minor unit for the line, for this and for each credit before: so much roundings make together.
    if abs(whole - amount) <= 1 + line.credits // 2:
        return Credit(quantity, line.unit_price, amount)
    if amount > whole:
        # The rest was credited for less than it cost: what was kept back then is not given back with these.
        return Credit(quantity, line.unit_price, whole)
    # Something was credited for less than the whole price: the rest is what is left for one unit.
    unit_price = to_major(amount, currency) / quantity
    return Credit(quantity, unit_price.quantize(_PRICE_PLACES, rounding=ROUND_HALF_UP), amount)


def check_returned(line: InvoicedLine, quantity: Decimal, left: Decimal) -> None:
    """Refuse to credit more for a goods return than is left of it. Raises MoreThanReturned."""
    if quantity > left:
        raise MoreThanReturned(sku=line.sku, left=left, path=("quantity",))


def _too_large(line: InvoicedLine, currency: str, path: str) -> CreditTooLarge:
    left = to_major(line.left_amount, currency)
    return CreditTooLarge(sku=line.sku, left=left, currency=currency, path=(path,))


def check_credit(state: str, lines: Iterable[InvoicedLine]) -> None:
    """Refuse to credit an invoice of which nothing is left. Raises InvoiceReversed or NothingToCredit."""
    check_standing(state)
    if not any(line.has_money_left for line in lines):
        raise NothingToCredit


def check_return(state: str, lines: Iterable[InvoicedLine]) -> None:
    """Refuse a return of what has come back. Raises InvoiceReversed or NothingToReturn."""
    check_standing(state)
    if not any(line.left_to_return > 0 for line in lines):
        raise NothingToReturn
