"""The operations that are measured, as each server is asked, and the plain values that all answers have to be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bench.peers.data import Portal
from resolvers.nodes import global_id

Data = dict[str, Any]
Plain = list[Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A GraphQL document, its variables at a portal, and how its answer is made plain."""

    query: str
    variables: Callable[[Portal], Data]
    plain: Callable[[Data], Plain]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: as this server and the floor are asked, and as PostGraphile is, where it can be."""

    name: str
    title: str
    ours: Asked
    postgraphile: Asked | None = None


def _nothing(_portal: Portal) -> Data:
    return {}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _cents(minor: str | int) -> Decimal:
    """An amount in minor units of a currency that has a hundred of them."""
    return Decimal(minor) / 100


_ORDERS = Asked(
    """query A { orders(first: 50, orderBy: [PLACED_AT_DESC]) { nodes { number placedAt totals { total { amount } }
      customer { code name } lines { quantity amount { amount } product { sku name
        stock { onHand warehouse { code } } } } } } }""",
    _nothing,
    lambda data: [
        (
            each["number"],
            _moment(each["placedAt"]),
            Decimal(each["totals"]["total"]["amount"]),
            (each["customer"]["code"], each["customer"]["name"]),
            [_line(line, Decimal(line["amount"]["amount"])) for line in each["lines"]],
        )
        for each in data["orders"]["nodes"]
    ],
)
_PEERS_ORDERS = Asked(
    """query A($customer: UUID!) { orders: allOrdersList(first: 50, orderBy: [PLACED_AT_DESC, PRIMARY_KEY_DESC],
      condition: { customerId: $customer }) { number placedAt total customer: customerByTenantIdAndCustomerId { code name }
      lines: orderLinesByTenantIdAndOrderIdList { quantity amount product { sku name
        stock: stocksByTenantIdAndProductIdList { onHand warehouse: warehouseByTenantIdAndWarehouseId { code } } } } } }""",
    lambda portal: {"customer": str(portal.customer_id)},
    lambda data: [
        (
            each["number"],
            _moment(each["placedAt"]),
            _cents(each["total"]),
            (each["customer"]["code"], each["customer"]["name"]),
            [_line(line, _cents(line["amount"])) for line in each["lines"]],
        )
        for each in data["orders"]
    ],
)


def _line(line: Data, amount: Decimal) -> Any:
    product = line["product"]
    seen = product and (product["sku"], product["name"], _levels(product["stock"]))
    return Decimal(line["quantity"]), amount, seen


def _levels(stock: list[Data]) -> Plain:
    """By warehouse: PostGraphile gives them in the order of their keys."""
    return sorted((each["warehouse"]["code"], Decimal(each["onHand"])) for each in stock)


_PRODUCTS = Asked(
    """query B { products(first: 100, orderBy: [SKU_ASC]) { nodes { sku name unit price { unitPrice { amount } }
      stock { onHand warehouse { code } } } } }""",
    _nothing,
    lambda data: [
        _product(each, each["price"] and each["price"]["unitPrice"]["amount"])
        for each in data["products"]["nodes"]
    ],
)
_PEERS_PRODUCTS = Asked(
    """query B { products: allProductsList(first: 100, orderBy: [SKU_ASC, PRIMARY_KEY_ASC], condition: { active: true }) {
      sku name unit priceToday
      stock: stocksByTenantIdAndProductIdList { onHand warehouse: warehouseByTenantIdAndWarehouseId { code } } } }""",
    _nothing,
    lambda data: [_product(each, each["priceToday"]) for each in data["products"]],
)


def _product(each: Data, price: str | None) -> Any:
    return each["sku"], each["name"], each["unit"], price and Decimal(price), _levels(each["stock"])


_ORDER = Asked(
    """query C($id: ID!) { viewer { account { userName name } customer { code name } }
      order(id: $id) { number placedAt totals { total { amount } }
        lines { position sku name quantity unitPrice { amount } amount { amount } } } }""",
    lambda portal: {"id": global_id("Order", portal.order_id)},
    lambda data: [
        *_viewer(data["viewer"]["account"], data["viewer"]["customer"]),
        data["order"]["number"],
        _moment(data["order"]["placedAt"]),
        Decimal(data["order"]["totals"]["total"]["amount"]),
        [
            _own_line(each, Decimal(each["unitPrice"]["amount"]), Decimal(each["amount"]["amount"]))
            for each in data["order"]["lines"]
        ],
    ],
)
_PEERS_ORDER = Asked(
    """query C($tenant: UUID!, $account: UUID!, $id: UUID!) {
      account: accountByTenantIdAndRowId(tenantId: $tenant, rowId: $account) { userName name
        customer: customerByTenantIdAndCustomerId { code name } }
      order: orderByTenantIdAndRowId(tenantId: $tenant, rowId: $id) { number placedAt total
        lines: orderLinesByTenantIdAndOrderIdList { position sku name quantity unitPrice amount } } }""",
    lambda portal: {
        "tenant": str(portal.tenant_id),
        "account": str(portal.account_id),
        "id": str(portal.order_id),
    },
    lambda data: [
        *_viewer(data["account"], data["account"]["customer"]),
        data["order"]["number"],
        _moment(data["order"]["placedAt"]),
        _cents(data["order"]["total"]),
        [
            _own_line(each, Decimal(each["unitPrice"]), _cents(each["amount"]))
            for each in data["order"]["lines"]
        ],
    ],
)


def _viewer(account: Data, customer: Data) -> Plain:
    return [account["userName"], account["name"], customer["code"], customer["name"]]


def _own_line(line: Data, unit_price: Decimal, amount: Decimal) -> Any:
    return line["position"], line["sku"], line["name"], Decimal(line["quantity"]), unit_price, amount


_DOCUMENTS = Asked(
    """query D { supplierDocuments(first: 50, orderBy: [ISSUED_AT_DESC]) { nodes { __typename number status issuedAt
      total { amount } related { __typename ... on SupplierDocument { number } ... on Order { number }
        ... on RMARequest { number } ... on Payment { number } } } } }""",
    _nothing,
    lambda data: [
        (
            each["__typename"],
            each["number"],
            each["status"],
            _moment(each["issuedAt"]),
            each["total"] and Decimal(each["total"]["amount"]),
            [(near["__typename"], near["number"]) for near in each["related"]],
        )
        for each in data["supplierDocuments"]["nodes"]
    ],
)
_PLACING = Asked(
    """mutation E { orderPlace(input: {}) { orders { totals { total { amount } } lines { sku quantity } }
      errors { code message } } }""",
    _nothing,
    lambda data: [
        (
            data["orderPlace"]["errors"],
            [
                (
                    each["totals"]["total"]["amount"],
                    [(line["sku"], line["quantity"]) for line in each["lines"]],
                )
                for each in data["orderPlace"]["orders"] or []
            ],
        )
    ],
)

A = Operation("A", "50 newest orders, their lines, products and stock", _ORDERS, _PEERS_ORDERS)
B = Operation("B", "100 products with price and stock", _PRODUCTS, _PEERS_PRODUCTS)
C = Operation("C", "viewer and one order by id", _ORDER, _PEERS_ORDER)
D = Operation("D", "50 documents with their chain", _DOCUMENTS)
E = Operation("E", "orderPlace with 20 lines", _PLACING)
READS = (A, B, C, D)
EVERY_ONE = (*READS, E)

_CONDITIONS = range(90)


def new_document(number: int) -> str:
    """A document that no server knows yet, for each number another one of the same length: little is asked for, and what
    there is to be looked at takes some 20 ms."""
    declared = " ".join(f"$a{each}: Boolean! = true" for each in _CONDITIONS)
    selected = " ".join(f"... @include(if: $a{each}) {{ slug }}" for each in _CONDITIONS)
    return f"query N{number:08}({declared}) {{ portal {{ {selected} }} }}"
