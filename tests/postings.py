"""What the staff posts, over HTTP, and what the ledger then says: for the tests of all kinds of documents."""

from typing import Any

from tests.client import Client
from tests.world import Portal

ERRORS = "errors { code message path }"
SUMS = "totals { net { amount } tax { amount } total { amount } }"
LINE = "position sku name unit quantity unitPrice { amount } taxRate amount { amount } product { sku }"
ACTIONS = "actions { name allowed reason { code } missingPermission }"
INVOICE = f"""id number status issuedAt dueOn comment customerName billTo {{ city }} taxIncluded order {{ number }}
  customer {{ code }} {SUMS} open {{ amount }} lines {{ {LINE} }} {ACTIONS}"""
TAX_INVOICE = f"id number status invoice {{ number status }} {SUMS} lines {{ sku }} {ACTIONS}"
CREDIT_NOTE = f"""id number status operation comment customerName billTo {{ city }} {SUMS}
  invoice {{ number status open {{ amount }} }} goodsReturn {{ number }} lines {{ {LINE} invoicePosition }} {ACTIONS}"""
GOODS_RETURN = f"""id number status comment receivedAt invoice {{ number }} warehouse {{ code }}
  lines {{ position invoicePosition sku name unit quantity }} {ACTIONS}"""
PAYMENT = f"""id number kind status paidAt reference customer {{ code }} amount {{ amount currency }}
  onAccount {{ amount }} {ACTIONS}"""
RMA_REQUEST = f"""id number stage status {{ code processingState }} note expectedOn decidedAt closedAt version
  lines {{ position sku state resolution authorisedQuantity reason receivedQuantity creditedQuantity replacedQuantity }}
  replacementOrders {{ number }} {ACTIONS}"""

# What each mutation answers, by its name.
RESULTS = {
    "invoiceIssue": f"invoice {{ {INVOICE} }}",
    "taxInvoiceIssue": f"taxInvoice {{ {TAX_INVOICE} }}",
    "creditNoteIssue": f"creditNote {{ {CREDIT_NOTE} }}",
    "goodsReturnReceive": f"goodsReturn {{ {GOODS_RETURN} }}",
    "paymentRecord": f"payment {{ {PAYMENT} }}",
    "paymentAllocate": f"payment {{ {PAYMENT} }}",
    "paymentReverse": f"payment {{ {PAYMENT} }}",
    "rmaRequestDecide": f"rmaRequest {{ {RMA_REQUEST} }}",
    "rmaRequestClose": f"rmaRequest {{ {RMA_REQUEST} }}",
    "rmaRequestReplace": """orders { id number comment shipTo { city } warehouse { code } rmaRequest { number }
      customer { code } totals { total { amount } }
      lines { position sku quantity unitPrice { amount } taxRate amount { amount } } }""",
    "supplierDocumentReverse": f"""document {{ __typename id number status
      ... on Invoice {{ open {{ amount }} {ACTIONS} }} ... on GoodsReturn {{ {ACTIONS} }} }}""",
}


async def post(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """The payload of a mutation."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
    document = f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {RESULTS[mutation]} {ERRORS} }} }}"
    answer: dict[str, Any] = (await client.ask(document, input=given))[mutation]
    return answer


async def posted(client: Client, mutation: str, **given: Any) -> dict[str, Any]:
    """What a mutation that has to work has posted."""
    answer = await post(client, mutation, **given)
    assert answer.pop("errors") == [], answer
    (found,) = answer.values()
    result: dict[str, Any] = found
    return result


async def refused(client: Client, mutation: str, **given: Any) -> list[tuple[str, list[str]]]:
    """The codes and paths of a mutation that must not work."""
    answer = await post(client, mutation, **given)
    errors = answer.pop("errors")
    assert errors != []
    assert set(answer.values()) == {None}
    return [(each["code"], each["path"]) for each in errors]


async def invoice_of(client: Client, id: str) -> dict[str, Any]:
    """An invoice as it stands now."""
    asked = f"query($id: ID!) {{ supplierDocument(id: $id) {{ ... on Invoice {{ {INVOICE} }} }} }}"
    found: dict[str, Any] = (await client.ask(asked, id=id))["supplierDocument"]
    return found


async def request_of(client: Client, id: str) -> dict[str, Any]:
    """A request to return goods as it stands now."""
    asked = f"query($id: ID!) {{ rmaRequest(id: $id) {{ {RMA_REQUEST} }} }}"
    found: dict[str, Any] = (await client.ask(asked, id=id))["rmaRequest"]
    return found


async def payment_of(client: Client, id: str) -> dict[str, Any]:
    """A payment as it stands now."""
    asked = f"query($id: ID!) {{ node(id: $id) {{ ... on Payment {{ {PAYMENT} }} }} }}"
    found: dict[str, Any] = (await client.ask(asked, id=id))["node"]
    return found


def allowed(document: dict[str, Any]) -> dict[str, str | None]:
    """The actions of a document: why each is not allowed, or None."""
    return {each["name"]: each["reason"] and each["reason"]["code"] for each in document["actions"]}


async def ledger(portal: Portal) -> dict[str | None, int]:
    """What the movements make, in minor units, by the number of the invoice that they settle; None: on account."""
    async with portal.writing() as connection:
        rows = await connection.fetch_text(
            """select i.number, sum(m.amount)::bigint from movements m left join invoices i
            on i.tenant_id = m.tenant_id and i.id = m.settles_id group by i.number"""
        )
    return {row[0]: row[1] for row in rows}


async def ship(client: Client, order: str, *lines: dict[str, Any]) -> str:
    """Ship an order, or these lines of it; the goods issue's id."""
    document = """mutation($input: OrderShipInput!) { orderShip(input: $input) {
      goodsIssues { id } errors { code } } }"""
    given: dict[str, Any] = {"order": order, **({"lines": list(lines)} if lines else {})}
    answer = (await client.ask(document, input=given))["orderShip"]
    assert answer["errors"] == []
    return str(answer["goodsIssues"][0]["id"])
