"""Random worlds of access groups, asked over HTTP: every answer is what a model in plain Python says."""

from collections.abc import Callable
from typing import Any

import pytest

from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.tenants.companies import Company, Group, Model, found_company
from tests.tenants.shops import ADD, broken
from tests.world import World

ROUNDS = 5
CATALOGUE = """query($ids: [ID!]!, $code: String!) {
  products(first: 50) { totalCount nodes { sku category { code } available
    stock { warehouse { code } onHand reserved available } } }
  some: products(first: 50, filter: { availableOnly: true }) { totalCount nodes { sku } }
  red: products(first: 50, filter: { search: "red" }) { totalCount nodes { sku } }
  below: products(first: 50, filter: { categoryCode: $code }) { totalCount nodes { sku } }
  categories { code parent { code } children { code } }
  nodes(ids: $ids) { id } }"""
CART = "{ cart { items { sku product { sku } warehouse { code } unitPrice { amount } problem { code } } } }"
PLACE = """mutation { orderPlace(input: {}) { errors { code path }
  orders { lines { sku product { sku } warehouse { code } } } } }"""


@pytest.mark.parametrize("seed", range(6))
async def test_every_answer_is_what_the_model_says(seed: int, world: World, at: At) -> None:
    company = await found_company(world, seed)
    await company.portal.staff_member(f"sam-{company.portal.slug}", role=StaffRole.AGENT)
    mia = await at(company.portal).sign_in("mia")
    sam = await at(company.portal).sign_in(f"sam-{company.portal.slug}")
    for _ in range(ROUNDS):
        await company.regroup()
        if any(group.reads for group in company.model.groups):
            await check_catalogue(company, mia)
            await check_look_ups(company, mia)
        else:
            await check_nothing_is_there(company, mia)
        await check_explanations(company, sam)
        if any(group.orders for group in company.model.groups):
            await check_adding(company, mia)
            await check_cart(company, mia)


def products(model: Model) -> list[str]:
    """The products that are to be seen."""
    return model.seen(model.product, model.category_of)


async def check_catalogue(company: Company, mia: Client) -> None:
    model, ids = company.model, company.ids()
    shown = model.seen(model.category, model.parents)
    code = company.random.choice(shown or ["all"])
    answer = await mia.ask(CATALOGUE, ids=list(ids.values()), code=code)
    levels = {sku: model.levels(sku, to_order=False) for sku in products(model)}
    assert answer["products"]["nodes"] == [product(model, sku, levels[sku], shown) for sku in levels]
    free = [
        sku for sku in levels if sku in model.services or any(each[2] > 0 for each in levels[sku].values())
    ]
    found = {
        "products": list(levels),
        "some": free,
        "red": [sku for sku in levels if int(sku[1:]) % 2],
        "below": [sku for sku in levels if shown and code in model.path(model.category_of[sku])],
    }
    for field, skus in found.items():
        assert [each["sku"] for each in answer[field]["nodes"]] == skus
        assert answer[field]["totalCount"] == len(skus)
    assert answer["categories"] == [category(model, each, shown) for each in shown_by_name(shown)]
    there = {*shown, *levels, *model.seen(model.warehouse, company.portal.warehouse_ids)}
    assert answer["nodes"] == [{"id": key} if name in there else None for name, key in ids.items()]


def product(
    model: Model, sku: str, levels: dict[str, tuple[int, int, int]], shown: list[str]
) -> dict[str, Any]:
    """A product as it is to be answered."""
    stock = [
        {"warehouse": {"code": code}, "onHand": str(there), "reserved": str(held), "available": str(free)}
        for code, (there, held, free) in levels.items()
    ]
    in_all = None if sku in model.services else str(sum(free for *_, free in levels.values()))
    return {"sku": sku, "category": named(model.category_of[sku], shown), "available": in_all, "stock": stock}


def category(model: Model, code: str, shown: list[str]) -> dict[str, Any]:
    """A category as it is to be answered."""
    children = [each for each in shown_by_name(shown) if model.parents[each] == code]
    return {
        "code": code,
        "parent": named(model.parents[code], shown),
        "children": [{"code": each} for each in children],
    }


def shown_by_name(codes: list[str]) -> list[str]:
    return sorted(codes, key=lambda code: "Everything" if code == "all" else code)


def named(code: str | None, shown: list[str]) -> dict[str, str] | None:
    return {"code": code} if code in shown else None


async def check_look_ups(company: Company, mia: Client) -> None:
    keys, seen = company.ids(), products(company.model)
    skus = sorted(company.model.category_of)
    asked = " ".join(
        f'by_sku_{sku}: product(sku: "{sku}") {{ sku }} by_id_{sku}: product(id: "{keys[sku]}") {{ sku }}'
        for sku in skus
    )
    there = {sku: {"sku": sku} if sku in seen else None for sku in skus}
    assert await mia.ask(f"{{ {asked} }}") == {
        f"{way}_{sku}": there[sku] for sku in skus for way in ("by_sku", "by_id")
    }


async def check_nothing_is_there(company: Company, mia: Client) -> None:
    ids = list(company.ids().values())
    for field in ("products", "product", "categories"):
        arguments = '(sku: "P0")' if field == "product" else ""
        selected = "{ nodes { id } }" if field == "products" else "{ id }"
        error = await mia.refusal(f"{{ {field}{arguments} {selected} }}")
        assert (error["extensions"]["code"], error["path"]) == ("MISSING_PERMISSION", [field])
    answer = await mia.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=ids)
    assert answer["nodes"] == [None] * len(ids)


async def check_explanations(company: Company, sam: Client) -> None:
    """What the staff is told of each object, and each group's own verdict."""
    model, ids = company.model, company.ids()
    asked = " ".join(
        f'{name}: explainAccess(account: $account, node: "{key}") {{ visible groups {{ group {{ name }} allowed }} }}'
        for name, key in ids.items()
    )
    answer = await sam.ask(f"query($account: ID!) {{ {asked} }}", account=company.account)
    allows: dict[str, Callable[[Group, str], bool]] = {
        **dict.fromkeys(model.parents, model.category),
        **dict.fromkeys(model.category_of, model.product),
        **dict.fromkeys(company.portal.warehouse_ids, model.warehouse),
    }
    for name in ids:
        verdicts = [
            {"group": {"name": group.name}, "allowed": group.reads and allows[name](group, name)}
            for group in model.groups
        ]
        visible = any(each["allowed"] for each in verdicts)
        assert answer[name] == {"visible": visible, "groups": verdicts}, name


async def check_adding(company: Company, mia: Client) -> None:
    """All at once: what cannot be added is refused line by line, so nothing of it is."""
    model, skus = company.model, sorted(company.model.category_of)
    items = [{"sku": sku, "quantity": "1"} for sku in skus]
    answer = (await mia.ask(ADD, input={"items": items}))["cartAddItems"]
    seen = products(model) if any(group.reads for group in model.groups) else []
    assert broken(answer) == [
        ("PRODUCT_UNAVAILABLE" if sku in seen else "PRODUCT_NOT_FOUND", ["items", str(index), "sku"])
        for index, sku in enumerate(skus)
        if not (sku in seen and model.may_order(sku))
    ]


async def check_cart(company: Company, mia: Client) -> None:
    """A cart of all products says which can be ordered and from where; and so they are, and only they."""
    model = company.model
    lines = await company.fill_cart()
    outcomes = {sku: model.line(sku, *line) for sku, line in lines.items()}
    shown = model.seen(model.warehouse, company.portal.warehouse_ids)
    assert (await mia.ask(CART))["cart"]["items"] == [
        {
            "sku": sku,
            "product": {"sku": sku} if sku in products(model) else None,
            "warehouse": named(warehouse or lines[sku][1], shown),
            "unitPrice": None if problem == "PRODUCT_UNAVAILABLE" else {"amount": "10.00"},
            "problem": None if problem is None else {"code": problem},
        }
        for sku, (warehouse, problem) in outcomes.items()
    ]
    problems = [
        (problem, ["cart", "items", str(index)])
        for index, (_, problem) in enumerate(outcomes.values())
        if problem is not None
    ]
    placed = (await mia.ask(PLACE))["orderPlace"]
    assert broken(placed) == problems
    good = {sku: warehouse for sku, (warehouse, problem) in outcomes.items() if problem is None}
    if problems and good:
        await company.leave_in_cart(list(good))
        placed = (await mia.ask(PLACE))["orderPlace"]
        assert placed["errors"] == []
    ordered = [line for order in placed["orders"] or [] for line in order["lines"]]
    assert {line["sku"]: line["warehouse"] for line in ordered} == {
        sku: named(warehouse, shown) for sku, warehouse in good.items()
    }
    for sku, warehouse in good.items():
        if warehouse is not None:
            model.reserved[sku, warehouse] = model.reserved.get((sku, warehouse), 0) + lines[sku][0]
