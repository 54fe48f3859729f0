"""Customer rows: a company keeps its customers in step with its ERP, by its own codes, many at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Annotated

import strawberry
import uuid_utils.compat as uuid

import db
from db.customers import Customer
from db.failures import Contended
from db.prices import PriceList
from resolvers.contacts import AddressInput, ContactInput, addresses_of, contacts_of
from resolvers.context import Context, Info
from resolvers.mutations import KEY_DESCRIPTION, Payload, facts_of
from resolvers.rows import POLICY_DESCRIPTION, read_rows
from resolvers.turns import in_turns
from rules import contacts
from rules.access_groups import check_length
from rules.amounts import LARGEST_AMOUNT
from rules.broken import BrokenRule, BrokenRules, NotFound, broken_by, check_version
from rules.contacts import ContactData
from rules.customers import CreditLimitInvalid
from rules.money import to_major, to_minor
from rules.portals import check_currency
from rules.rows import MOST_ROWS, RowPolicy
from rules.texts import LONGEST_NAME, TextMissing, check_name, check_text


@strawberry.input(
    description="A customer by the company's own code. What is left out stays as it is; a new one needs a name."
)
class CustomerRowInput:
    """One of customersUpsert's rows."""

    code: str = strawberry.field(description="The company's own code, 1 to 200 characters.")
    name: str | None = strawberry.field(default=None, description="Its name; needed for a new one.")
    country: str | None = strawberry.field(default=None, description="Its country.")
    currency: str | None = strawberry.field(
        default=None,
        description="The currency in which it is billed; of a new one the portal's when left out.",
    )
    email: str | None = strawberry.field(default=None, description="Where the company writes to.")
    phone: str | None = strawberry.field(default=None, description="Where the company calls.")
    price_list: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The code of the price list at which it buys; null: the portal's own.",
    )
    credit_limit: Decimal | None = strawberry.field(
        default=strawberry.UNSET,
        description="How much it may owe, in its currency; null: no limit.",
    )
    contacts: list[ContactInput] | None = strawberry.field(
        default=None, description="All persons there from now on."
    )
    addresses: list[AddressInput] | None = strawberry.field(
        default=None, description="All its addresses from now on."
    )
    version: int | None = strawberry.field(
        default=None, description="The version that was read; the row is refused when it has changed since."
    )


@strawberry.input(description="Customers to be kept.")
class CustomersUpsertInput:
    """customersUpsert(input:)."""

    rows: list[CustomerRowInput] = strawberry.field(description="Up to 1,000 customers, each code once.")
    policy: RowPolicy = strawberry.field(default=RowPolicy.ALL_OR_NOTHING, description=POLICY_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class CustomersPayload(Payload):
    """The customers that were taken, in the order of their rows."""

    customers: list[Customer] | None = field(default=None)


_UpsertInput = Annotated[CustomersUpsertInput, strawberry.argument(description="The customers.")]


async def upsert(info: Info, input: _UpsertInput) -> CustomersPayload:
    """Mutation.customersUpsert. Rows that say what is so already are taken, and change nothing."""
    context = info.context
    check_length(input.rows, MOST_ROWS, "rows")
    kept = await db.customers.lock_by_codes(context.connection, [row.code for row in input.rows])
    named = [row.price_list for row in input.rows if isinstance(row.price_list, str)]
    price_lists = await db.prices.lists_by_codes(context.connection, named) if named else {}
    rows = await read_rows(
        input.rows,
        key=lambda row: row.code,
        read=lambda row: _read(context, row, kept.get(row.code), price_lists),
    )
    errors = rows.settle(input.policy)
    written = await _write(context, rows.good)
    return CustomersPayload(errors=errors, customers=[written[code] for code in rows.good])


@dataclass(slots=True)
class _Row:
    """A customer as it was and as it is to be, with what replaces its contacts and addresses."""

    before: Customer | None
    after: Customer
    data: ContactData


def _read(
    context: Context,
    given: CustomerRowInput,
    kept: Customer | None,
    price_lists: Mapping[str, PriceList],
) -> _Row:
    """What a row asks for. Raises BrokenRules with all that is wrong with it."""
    data = ContactData(
        email=given.email,
        phone=given.phone,
        contacts=contacts_of(given.contacts),
        addresses=addresses_of(given.addresses),
    )
    wrong = [*contacts.check(data), *_wrong(given, kept, price_lists)]
    if wrong:
        raise BrokenRules(wrong)
    base = kept or Customer(
        id=uuid.uuid7(),
        code=given.code,
        name="",
        country="",
        currency=context.portal.currency,
        email="",
        price_list_id=None,
        phone="",
        credit_limit=None,
        version=1,
    )
    texts = {name: getattr(given, name) for name in ("name", "country", "currency", "email", "phone")}
    after = replace(base, **{name: text for name, text in texts.items() if text is not None})
    if given.price_list is not strawberry.UNSET:
        after.price_list_id = price_lists[given.price_list].id if given.price_list else None
    if given.credit_limit is not strawberry.UNSET:
        limit = given.credit_limit
        after.credit_limit = None if limit is None else to_minor(limit, after.currency)
    elif base.credit_limit is not None and after.currency != base.currency:
        after.credit_limit = to_minor(to_major(base.credit_limit, base.currency), after.currency)
    return _Row(kept, after, data)


def _wrong(
    given: CustomerRowInput, kept: Customer | None, price_lists: Mapping[str, PriceList]
) -> list[BrokenRule]:
    checks: list[Callable[[], None]] = [
        lambda: check_name(given.code, "code"),
        lambda: check_name(given.name, "name"),
        lambda: check_text(given.country, LONGEST_NAME, "country"),
        lambda: check_currency(given.currency, "currency"),
        lambda: _check_credit_limit(given.credit_limit),
        lambda: check_version(given.version, kept.version if kept else 0),
    ]
    wrong = list(broken_by(checks))
    if kept is None and given.name is None:
        wrong.append(TextMissing(path=("name",)))
    if isinstance(given.price_list, str) and given.price_list not in price_lists:
        wrong.append(NotFound(path=("priceList",)))
    return wrong


def _check_credit_limit(limit: Decimal | None) -> None:
    if isinstance(limit, Decimal) and not 0 <= limit < LARGEST_AMOUNT:
        raise CreditLimitInvalid(path=("creditLimit",))


async def _write(context: Context, rows: Mapping[str, _Row]) -> Mapping[str, Customer]:
    """Keep what differs, with as many statements for a thousand rows as for one; write down each change."""
    connection, viewer = context.connection, context.signed_in
    ids = [row.after.id for row in rows.values()]
    had_contacts = await db.contacts.contacts_of(connection, viewer, ids)
    had_addresses = await db.contacts.addresses_of(connection, viewer, ids)
    changed: list[Customer] = []
    new_contacts, new_addresses = {}, {}
    async for row in in_turns(rows.values()):
        customer_id = row.after.id
        people = row.data.contacts
        places = row.data.addresses
        before = {"contacts": had_contacts[customer_id], "addresses": had_addresses[customer_id]}
        after = {
            "contacts": before["contacts"] if people is None else list(people),
            "addresses": before["addresses"] if places is None else list(places),
        }
        if row.before == row.after and before == after:
            continue
        if row.before is not None:
            row.after.version += 1
        changed.append(row.after)
        if before["contacts"] != after["contacts"]:
            new_contacts[customer_id] = people or ()
        if before["addresses"] != after["addresses"]:
            new_addresses[customer_id] = places or ()
        context.record(
            "Customer",
            customer_id,
            before=None if row.before is None else facts_of(row.before, **before),
            after=facts_of(row.after, **after),
            customer_id=customer_id,
        )
    # In one order, so that two calls with the same codes cannot deadlock.
    stored = await db.customers.upsert(connection, sorted(changed, key=lambda each: each.code))
    if any(stored[each.code].id != each.id for each in changed):
        raise Contended("somebody else has just added one of these customers")  # then it is tried again
    await _replace(context, new_contacts, new_addresses)
    context.record_nothing()
    return {code: row.after for code, row in rows.items()}


async def _replace(
    context: Context,
    new_contacts: Mapping[uuid.UUID, Sequence[contacts.Contact]],
    new_addresses: Mapping[uuid.UUID, Sequence[contacts.Address]],
) -> None:
    if new_contacts:
        await db.contacts.replace_contacts(context.connection, new_contacts)
    if new_addresses:
        await db.contacts.replace_addresses(context.connection, new_addresses)
