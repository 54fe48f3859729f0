"""Goods returns as they are printed: what came back, without prices."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import db
from db.goods_returns import GoodsReturn, GoodsReturnLine
from db.invoices import Invoice
from db.warehouses import Warehouse
from resolvers.prints import Office, office
from rules.prints import Printed
from tenants.downloads import Reader

_GOODS_RETURN = ("Goods return", "Warenrückgabe")


async def printed(reader: Reader, ids: Sequence[UUID]) -> Mapping[UUID, Printed]:
    """The goods returns among the ids that the viewer may see."""
    connection, viewer = reader.connection, reader.viewer
    found = await db.goods_returns.by_ids(connection, viewer, ids)
    lines = await db.goods_returns.lines_of(connection, viewer, list(found))
    invoices = await db.invoices.DOCUMENTS.named(
        connection, list({each.invoice_id for each in found.values()})
    )
    into = [each.warehouse_id for each in found.values() if each.warehouse_id]
    warehouses = await db.warehouses.by_ids(connection, viewer, into)
    writes = await office(reader, (each.customer_id for each in found.values()))
    return {
        each.id: _printed(
            writes,
            each,
            lines[each.id],
            invoices[each.invoice_id],
            warehouses.get(each.warehouse_id) if each.warehouse_id else None,
        )
        for each in found.values()
    }


def _printed(
    office: Office,
    returned: GoodsReturn,
    lines: Sequence[GoodsReturnLine],
    invoice: Invoice,
    warehouse: Warehouse | None,
) -> Printed:
    number = office.say(("Line of the invoice:", "Position der Rechnung:"))
    notes = {each.position: f"{number} {each.invoice_position}" for each in lines}
    columns, rows = office.lines(lines, notes)
    return office.printed(
        kind=_GOODS_RETURN,
        number=returned.number,
        addressee=office.billed(invoice),
        warning=office.warning(returned.state),
        facts=office.facts(
            (("Goods return no.", "Rückgabenummer"), returned.number),
            (("Received on", "Eingegangen am"), office.day(returned.received_at)),
            (("Invoice", "Rechnung"), invoice.number),
            (("Invoice date", "Rechnungsdatum"), office.day(invoice.issued_at)),
            (("Customer no.", "Kundennummer"), office.code_of(returned.customer_id)),
            (("Warehouse", "Lager"), warehouse.name if warehouse else None),
        ),
        opening=office.say(("These goods have come back to us:", "Diese Waren sind bei uns eingegangen:")),
        columns=columns,
        rows=rows,
        closing=(returned.comment,) if returned.comment else (),
    )
