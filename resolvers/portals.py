"""The portal at which an operation runs, its staff's changes to it, and new portals of the same supplier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

import db
from db.portals import Portal
from db.suppliers import Waiting
from resolvers import letterheads
from resolvers.context import Change, Context, Info
from resolvers.letterheads import LetterheadInput
from resolvers.mutations import KEY_DESCRIPTION, VERSION_DESCRIPTION, Payload, differs, facts_of, write_down
from rules.access_groups import check_length
from rules.broken import Language, check_version
from rules.origins import MOST_ORIGINS, origin
from rules.portals import (
    MOST_HOSTS,
    CancellationPolicy,
    CreditPolicy,
    OperationPolicy,
    check_currency,
    check_lead_days,
    check_not_reserved,
    check_payment_days,
    check_support_hours,
    host_name,
)
from rules.restrictions import RestrictionKind
from rules.returnable_lines import check_return_days
from rules.stock import StockPolicy
from rules.texts import check_email, check_name
from tenants import provisioning
from tenants.provisioning import NewPortal


async def portal(info: Info) -> Portal:
    """Query.portal."""
    return info.context.portal


async def hosts(root: strawberry.Parent[Portal], info: Info) -> list[str]:
    """Portal.hosts."""
    return (await db.portals.hosts_of(info.context.connection, [root.id]))[root.id]


def restriction_kinds(root: strawberry.Parent[Portal]) -> list[RestrictionKind]:
    """Portal.restrictionKinds, in the order of the kinds."""
    return [kind for kind in RestrictionKind if kind in root.restriction_kinds]


async def waiting(root: strawberry.Parent[Portal], info: Info) -> Waiting | None:
    """Portal.waiting: None for customers."""
    context = info.context
    if context.viewer is None or not context.viewer.is_staff:
        return None
    if root.tenant_id == context.tenant_id:
        return await db.suppliers.waiting(context.connection)
    # Whoever was shown the row of a sister company may enter it: db.portals.entered_by has asked.
    async with context.connection.visiting(root.tenant_id) as sister:
        return await db.suppliers.waiting(sister)


_HOSTS = "Host names at which it answers, e.g. shop.example.com."


@strawberry.input(description="What to change of the portal; what is left out stays as it is.")
class PortalUpdateInput:
    """portalUpdate(input:)."""

    open: bool | None = strawberry.field(
        default=None,
        description="Whether customers may sign in. Switched off, all their sessions are refused at once.",
    )
    name: str | None = strawberry.field(default=None, description="The company's name, 1 to 200 characters.")
    legal_name: str | None = strawberry.field(
        default=None, description="The company's registered name, 1 to 200 characters."
    )
    currency: str | None = strawberry.field(
        default=None, description="The company's own currency, as ISO 4217 has it. Documents keep theirs."
    )
    language: Language | None = strawberry.field(
        default=None, description="The language of texts when a request names none."
    )
    support_email: str | None = strawberry.field(
        default=None, description="Where people write when the portal does not help."
    )
    stock_policy: StockPolicy | None = strawberry.field(
        default=None, description="Whether the company sells what it does not have."
    )
    lead_days: int | None = strawberry.field(
        default=None, description="How many days after placing an order is promised, 0 to 365."
    )
    cancellation_policy: CancellationPolicy | None = strawberry.field(
        default=None, description="Whether customers may cancel what they have ordered."
    )
    credit_policy: CreditPolicy | None = strawberry.field(
        default=None, description="What happens to an order that takes a customer over its credit limit."
    )
    payment_days: int | None = strawberry.field(
        default=None, description="How many days after its issue an invoice is to be paid, 0 to 365."
    )
    first_answer_hours: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Within how many hours tickets that are opened from now on are to be answered, 1 to 8,760; "
        "null: within any time.",
    )
    resolution_hours: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Within how many hours tickets that are opened from now on are to be closed, 1 to 8,760; "
        "null: within any time.",
    )
    return_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="How many days after its issue goods of an invoice can be returned, 0 to 3,650; null: for ever.",
    )
    restriction_kinds: list[RestrictionKind] | None = strawberry.field(
        default=None,
        description="Which kinds of restrictions are in force from now on; the others restrict nothing.",
    )
    hosts: list[str] | None = strawberry.field(
        default=None,
        description=f"{_HOSTS} All of them from now on; requests find new ones within ten seconds.",
    )
    operation_policy: OperationPolicy | None = strawberry.field(
        default=None, description="Which documents it runs; counts within ten seconds."
    )
    origins: list[str] | None = strawberry.field(
        default=None,
        description="From which other hosts' pages browsers may ask it, e.g. https://shop.example.com, up to 20. All of them "
        "from now on, within ten seconds.",
    )
    letterhead: LetterheadInput | None = strawberry.field(
        default=None, description="What the company's documents say of it, all of it."
    )
    version: int | None = strawberry.field(default=None, description=VERSION_DESCRIPTION)
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@strawberry.input(description="Another company of the same supplier, with its portal.")
class PortalCreateInput:
    """portalCreate(input:)."""

    slug: str = strawberry.field(
        description="The short name in addresses: lower-case letters, digits, hyphens."
    )
    name: str = strawberry.field(description="The company's name, 1 to 200 characters.")
    legal_name: str | None = strawberry.field(
        default=None, description="The company's registered name; its name when left out."
    )
    currency: str = strawberry.field(description="The company's own currency, as ISO 4217 has it.")
    language: Language = strawberry.field(description="The language of texts when a request names none.")
    support_email: str = strawberry.field(description="Where people write when the portal does not help.")
    hosts: list[str] = strawberry.field(default_factory=list, description=_HOSTS)
    stock_policy: StockPolicy = strawberry.field(
        default=StockPolicy.REQUIRE_STOCK, description="Whether the company sells what it does not have."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=KEY_DESCRIPTION)


@dataclass(slots=True)
class PortalPayload(Payload):
    """The portal as it is after the change."""

    portal: Portal | None = None


_UpdateInput = Annotated[PortalUpdateInput, strawberry.argument(description="What to change.")]
_CreateInput = Annotated[PortalCreateInput, strawberry.argument(description="The new portal.")]


async def update(info: Info, input: _UpdateInput) -> PortalPayload:
    """Mutation.portalUpdate."""
    context = info.context
    check_name(input.name, "name")
    check_name(input.legal_name, "legalName")
    check_currency(input.currency, "currency")
    check_email(input.support_email, "supportEmail")
    check_lead_days(input.lead_days, "leadDays")
    check_payment_days(input.payment_days, "paymentDays")
    limits = _limits(input)
    origins = _origins(input.origins)
    now = await db.portals.lock(context.connection, context.tenant_id)
    assert now is not None, "the tenant of a connection has a portal"
    check_version(input.version, now.version)
    kinds = input.restriction_kinds
    given = {
        "open": input.open,
        "name": input.name,
        "legal_name": input.legal_name,
        "currency": input.currency,
        "locale": input.language,
        "support_email": input.support_email,
        "stock_policy": input.stock_policy,
        "lead_days": input.lead_days,
        "cancellation_policy": input.cancellation_policy,
        "credit_policy": input.credit_policy,
        "payment_days": input.payment_days,
        "operation_policy": input.operation_policy,
        "origins": origins,
        "restriction_kinds": None if kinds is None else [kind for kind in RestrictionKind if kind in kinds],
    }
    had, has = await _change_hosts(context, input.hosts)
    said, says = await letterheads.change(context, input.letterhead)
    is_same = not differs(now, given) and all(getattr(now, name) == each for name, each in limits.items())
    if is_same and set(had) == set(has) and said == says:
        context.record_nothing()
        return PortalPayload(now)
    changed = await db.portals.change(context.connection, context.tenant_id, **given, **limits)
    context.record(
        "Portal",
        now.id,
        before=facts_of(now, hosts=had, letterhead=facts_of(said)),
        after=facts_of(changed, hosts=has, letterhead=facts_of(says)),
    )
    return PortalPayload(changed)


def _limits(given: PortalUpdateInput) -> dict[str, int | None]:
    """What is said of the limits that there need not be. Raises ReturnDaysInvalid or SupportHoursInvalid."""
    named = {
        "return_days": given.return_days,
        "first_answer_hours": given.first_answer_hours,
        "resolution_hours": given.resolution_hours,
    }
    said = {name: limit for name, limit in named.items() if limit is not strawberry.UNSET}
    check_return_days(said.get("return_days"), "returnDays")
    check_support_hours(said.get("first_answer_hours"), "firstAnswerHours")
    check_support_hours(said.get("resolution_hours"), "resolutionHours")
    return said


def _origins(given: Sequence[str] | None) -> list[str] | None:
    """The origins as they are kept; None is no list. Raises ListTooLong or OriginInvalid."""
    check_length(given, MOST_ORIGINS, "origins")
    if given is None:
        return None
    return sorted({origin(each, "origins", str(index)) for index, each in enumerate(given)})


async def _change_hosts(context: Context, wanted: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Let the portal answer at these hosts and no others; returns the hosts before and after."""
    had = (await db.portals.hosts_of(context.connection, [context.tenant_id]))[context.tenant_id]
    if wanted is None:
        return had, had
    check_length(wanted, MOST_HOSTS, "hosts")
    names = [host_name(host, "hosts", str(index)) for index, host in enumerate(wanted)]
    _check_reserved(context, context.portal.slug, names)
    await db.portals.remove_hosts(context.connection, [host for host in had if host not in names])
    await provisioning.add_hosts(context.connection, names, had)
    return had, sorted(set(names))


def _check_reserved(context: Context, slug: str, hosts: Sequence[str]) -> None:
    for index, host in enumerate(hosts):
        check_not_reserved(host, slug, context.facilities.base_domain, "hosts", str(index))


async def create(info: Info, input: _CreateInput) -> PortalPayload:
    """Mutation.portalCreate: ready for its staff as soon as it is saved, and open."""
    context = info.context
    check_name(input.name, "name")
    check_name(input.legal_name, "legalName")
    check_email(input.support_email, "supportEmail")
    check_length(input.hosts, MOST_HOSTS, "hosts")
    new = NewPortal(
        slug=input.slug,
        name=input.name,
        legal_name=input.legal_name or input.name,
        currency=input.currency,
        locale=input.language,
        support_email=input.support_email,
        hosts=input.hosts,
        stock_policy=input.stock_policy,
    )
    _check_reserved(context, new.slug, new.checked_hosts())
    tenant_id = await provisioning.found_portal(context.connection, new)
    after: dict[str, Any] = {**new.columns, "hosts": new.checked_hosts()}
    context.record("Portal", tenant_id, before=None, after=after)
    async with context.connection.visiting(tenant_id) as sister:
        # Its own audit begins with who founded it.
        change = Change("Portal", tenant_id, None, after, None, None, tenant_id)
        await write_down(sister, context, info.field_name, [change])
        return PortalPayload(await db.portals.by_tenant(sister))
