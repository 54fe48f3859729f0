"""Goods issues as they are printed: delivery notes, without prices."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import db
from db.goods_issues import GoodsIssue, GoodsIssueLine
from db.orders import Order
from db.warehouses import Warehouse
from resolvers.prints import Office, office
from rules.contacts import Address, AddressKind
from rules.permissions import Permission
from rules.prints import Printed
from tenants.downloads import Reader

_GOODS_ISSUE = ("Delivery note", "Lieferschein")


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The goods issues among the ids that the viewer may see; with their orders, where it may see those too."""
    connection, viewer = reader.connection, reader.viewer
    found = await db.goods_issues.by_ids(connection, viewer, ids)
    lines = await db.goods_issues.lines_of(connection, viewer, list(found))
    orders: Mapping[UUID, Order] = {}
    if viewer.may(Permission.ORDERS_READ):
        orders = await db.orders.by_ids(connection, viewer, [each.order_id for each in found.values()])
    from_ids = [each.warehouse_id for each in found.values() if each.warehouse_id]
    warehouses = await db.warehouses.by_ids(connection, viewer, from_ids)
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {
        each.id: _printed(
            writes,
            each,
            lines[each.id],
            orders.get(each.order_id),
            warehouses.get(each.warehouse_id) if each.warehouse_id else None,
        )
        for each in found.values()
    }


def _printed(
    office: Office,
    issue: GoodsIssue,
    lines: Sequence[GoodsIssueLine],
    order: Order | None,
    warehouse: Warehouse | None,
) -> Printed:
    columns, rows = office.lines(lines)
    return office.printed(
        kind=_GOODS_ISSUE,
        number=issue.number,
        addressee=_addressee(office, issue, order),
        facts=office.facts(
            (("Delivery note no.", "Lieferscheinnummer"), issue.number),
            (("Shipped on", "Lieferdatum"), office.day(issue.shipped_at)),
            (("Order", "Auftrag"), order.number if order else None),
            (("Your order no.", "Ihre Bestellnummer"), order.purchase_order_number if order else None),
            (("Customer no.", "Kundennummer"), office.code_of(issue.customer_id)),
            (("Shipped from", "Versandlager"), warehouse.name if warehouse else None),
        ),
        opening=office.say(("We have delivered to you:", "Wir haben Ihnen geliefert:")),
        columns=columns,
        rows=rows,
        closing=(issue.comment,) if issue.comment else (),
        signatures=tuple(
            office.say(words)
            for words in (
                ("Place and date", "Ort und Datum"),
                ("Goods received complete and undamaged", "Ware vollständig und unbeschädigt erhalten"),
            )
        ),
    )


def _addressee(office: Office, issue: GoodsIssue, order: Order | None) -> tuple[str, ...]:
    """Where the order says that it goes, or else where the customer has its goods sent."""
    customer = office.customers.get(issue.customer_id)
    if order is not None and order.ship_to:
        return Address.of_json(order.ship_to).label(customer.name if customer else "")
    return office.addressee(issue.customer_id, AddressKind.SHIPPING, AddressKind.BILLING)
