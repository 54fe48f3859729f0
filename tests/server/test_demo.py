"""The demo: what `make demo` sets up, and that GraphiQL's sample operations work in it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse, validate

import db
from db.isolation import Mode
from rules.documents import DocumentKind
from server.demo import personas, portals
from server.demo.install import install
from server.settings import ROOT, Settings
from server.storing import open_storage
from tests.client import Client
from tests.conftest import At
from tests.files import uploaded
from tests.server.test_downloads import book
from tests.world import World

SAMPLES = ROOT / "frontend" / "graphiql" / "samples"
SLUGS = [portal.slug for portal in portals.MADE_UP]


def at_demo(http: Any, slug: str) -> Client:
    return Client(http, slug)


async def as_persona(http: Any, slug: str, role: str) -> Client:
    """The first person of a role, or the one who is restricted."""
    person = next(
        each for each in personas.of_portal(slug) if role == ("restricted" if each.only else each.role)
    )
    return await at_demo(http, slug).sign_in(person.user_name, personas.PASSWORD)


# Where somebody finds what has to be put for `<id of the category candles, from the tab IdsToCopy>`.
PLACEHOLDER = re.compile(r"<id of (?:the|an open|an?) (\w+)(?: ([\w ]+))?,[^>]*>")
OPEN_INVOICE = """supplierDocuments(first: 1, filter: {kinds: [INVOICE], status: [UNPAID, PARTLY_PAID]}) {
  nodes { id customer { id } } }"""
FOUND_IN = {
    "account": "accounts(first: 1) { nodes { id } }",
    "bill": """supplierDocuments(first: 1, orderBy: [ISSUED_AT_ASC], filter: {kinds: [INVOICE]}) {
      nodes { id } }""",
    "category": "categories { id code }",
    "customer": "customers(first: 1) { nodes { id } }",
    "draft": "rmaRequests(first: 1, filter: {stage: DRAFT}) { nodes { id } }",
    "grant": "rmaRequests(first: 1, filter: {stage: IN_REVIEW}) { nodes { id } }",
    "group": "accessGroups { id name }",
    "invoice": OPEN_INVOICE,
    "order": """orders(first: 1, orderBy: [PLACED_AT_DESC], filter: {processingStates: [NOT_STARTED, IN_PROGRESS]}) {
      nodes { id } }""",
    "payer": OPEN_INVOICE,
    "profile": "profiles { id builtIn }",
    "quotation": "quotations(first: 1, orderBy: [ISSUED_AT_ASC]) { nodes { id } }",
    "replacement": """rmaRequests(first: 1, orderBy: [CREATED_AT_ASC], filter: {stage: AUTHORISED}) {
      nodes { id } }""",
    "request": "contactChanges(filter: {states: [OPEN]}) { nodes { id } }",
    "return": "supplierDocuments(first: 1, filter: {kinds: [GOODS_RETURN]}) { nodes { id } }",
    "session": "sessions { id }",
    "shipment": """orders(first: 1, orderBy: [PLACED_AT_DESC], filter: {processingStates: [COMPLETED]}) {
      nodes { goodsIssues { id } } }""",
    "statement": """supplierDocuments(first: 1, filter: {kinds: [RECONCILIATION_STATEMENT], status: [ISSUED]}) {
      nodes { id } }""",
    "submission": """rmaRequests(first: 1, orderBy: [CREATED_AT_ASC], filter: {stage: SUBMITTED}) {
      nodes { id } }""",
    "ticket": "supportTickets(first: 1, filter: {states: [OPEN, ANSWERED]}) { nodes { id } }",
    "webhook": "webhooks { id }",
}


async def find(client: Client, noun: str, name: str) -> str:
    if noun == "upload":  # nobody lists those: somebody sends one
        return await uploaded(client)
    found = (await client.ask(f"{{ found: {FOUND_IN[noun]} }}"))["found"]
    listed = found if isinstance(found, list) else found["nodes"]
    listed = [inner for each in listed for inner in each.get("goodsIssues", [each])]
    if noun == "payer":
        listed = [each["customer"] for each in listed]
    return next(str(each["id"]) for each in listed if not name or name in each.values())


def text_of(sample: Path) -> tuple[str, str]:
    """A sample's operation and its variables."""
    beside = sample.with_suffix(".variables.json")
    return sample.read_text(), beside.read_text() if beside.exists() else "{}"


async def run(client: Client, sample: Path, **put: Any) -> dict[str, Any]:
    """Run a sample as somebody who has put the ids in, and some more into its input. It has to work."""
    operation, text = text_of(sample)
    for placeholder in PLACEHOLDER.finditer(text):
        text = text.replace(placeholder[0], await find(client, placeholder[1], placeholder[2] or ""))
    variables: dict[str, Any] = json.loads(text)
    variables.get("input", {}).update(put)
    answer = await client.ask(operation, **variables)
    for value in answer.values():
        assert value is not None, sample
        assert not (isinstance(value, dict) and value.get("errors")), (sample, value)
    return answer


def samples_of(role: str) -> dict[str, Path]:
    """The samples of a role by their names, in the order of the tabs."""
    return {path.stem[3:]: path for path in sorted((SAMPLES / role).glob("*.graphql"))}


@pytest.mark.parametrize("slug", SLUGS)
async def test_an_outsider_sees_the_portal_and_nothing_else(told: list[str], http: Any, slug: str) -> None:
    outsider = at_demo(http, slug)
    assert (await outsider.ask("{ portal { slug open } viewer { customer { id } } }")) == {
        "portal": {"slug": slug, "open": True},
        "viewer": None,
    }
    assert (await outsider.refusal("{ orders { nodes { id } } }"))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_persona_of_one_portal_is_nobody_at_another(told: list[str], http: Any) -> None:
    buyer = await as_persona(http, "harbour", "buyer")
    for slug in ("nord", "alpen"):
        elsewhere = Client(http, slug, buyer.token)
        assert await elsewhere.ask("{ viewer { permissions } }") == {"viewer": None}


# One takes a code, and the staff's samples lead to it; those that watch go on, and `make browser` watches orders. And the
# restricted persona's customer was offered nothing.
ELSEWHERE = {"activate", "watch-orders", "watch-requests", "watch-tickets"}


def test_every_sample_asks_for_what_the_schema_has() -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text())
    samples = sorted(SAMPLES.glob("*/*.graphql"))
    assert samples
    for sample in samples:
        assert not validate(schema, parse(sample.read_text())), sample


@pytest.mark.parametrize("role", ["staff", "buyer", "accountant"])
def test_the_samples_of_a_role_have_numbers_and_names_of_their_own(role: str) -> None:
    samples = [path.stem for path in (SAMPLES / role).glob("*.graphql")]
    assert len({stem[:2] for stem in samples}) == len({stem[3:] for stem in samples}) == len(samples)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize(
    ("role", "tabs"), [("buyer", "buyer"), ("restricted", "buyer"), ("accountant", "accountant")]
)
async def test_every_sample_of_customers_runs_at_every_portal(
    told: list[str], http: Any, slug: str, role: str, tabs: str
) -> None:
    client = await as_persona(http, slug, role)
    samples = samples_of(tabs)
    assert samples
    for name, sample in samples.items():
        if name not in ELSEWHERE and (role, name) != ("restricted", "fill-from-quotation"):
            await run(client, sample)


@pytest.mark.parametrize("slug", SLUGS)
async def test_the_staffs_samples_let_somebody_in_who_sees_one_category(
    told: list[str], http: Any, slug: str
) -> None:
    staff = await as_persona(http, slug, "staff")
    answers = {name: await run(staff, sample) for name, sample in samples_of("staff").items()}
    code = answers["new-account"]["accountProvision"]["activationCode"]
    activated = await run(at_demo(http, slug), samples_of("buyer")["activate"], code=code)
    newcomer = Client(http, slug, activated["accountActivate"]["token"])
    assert await seen_by(newcomer) == {"candles"}


async def seen_by(client: Client) -> set[str]:
    """The codes of the categories of all products that somebody sees."""
    found = await client.ask("{ products(first: 100) { nodes { category { code } } } categories { code } }")
    shown = {each["category"]["code"] for each in found["products"]["nodes"]}
    assert shown <= {each["code"] for each in found["categories"]}
    return shown


@pytest.mark.parametrize("slug", SLUGS)
async def test_one_buyer_sees_mugs_and_the_others_everything(told: list[str], http: Any, slug: str) -> None:
    assert await seen_by(await as_persona(http, slug, "restricted")) == {"mugs"}
    assert await seen_by(await as_persona(http, slug, "buyer")) > {"mugs", "candles"}


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_customer_can_be_reached_and_one_has_asked_for_a_change(
    told: list[str], http: Any, slug: str
) -> None:
    staff = await as_persona(http, slug, "staff")
    found = await staff.ask(
        """{ customers { nodes { code phone creditLimit { amount } contacts { name } addresses { kind city } } }
        contactChanges(orderBy: [ASKED_AT_ASC], first: 1) { nodes { comment customer { code }
        asked { addresses { kind street } } } } }"""
    )
    made_up = [each for each in found["customers"]["nodes"] if each["code"] < "C-2"]
    assert all(each["phone"] and each["contacts"] for each in made_up)
    assert all([place["kind"] for place in each["addresses"]] == ["BILLING", "SHIPPING"] for each in made_up)
    assert made_up[0]["creditLimit"] == {"amount": "5000.00"}
    request = found["contactChanges"]["nodes"][0]
    assert request["comment"]
    assert request["customer"] == {"code": "C-1001"}
    billing, shipping = request["asked"]["addresses"]
    assert billing["street"] != shipping["street"]


@pytest.mark.parametrize("slug", SLUGS)
async def test_the_sample_comparison_shows_what_differs(told: list[str], http: Any, slug: str) -> None:
    buyer = await as_persona(http, slug, "buyer")
    compared = (await run(buyer, samples_of("buyer")["compare"]))["compareProducts"]
    assert None not in compared["products"] + compared["prices"] + compared["available"]
    differs = {row["attribute"]["code"]: row["differs"] for row in compared["rows"]}
    assert (differs["colour"], differs["dishwasher"]) == (True, True)
    assert (differs["material"], differs["height"], differs["capacity"]) == (False, False, False)


async def test_the_sample_cart_ships_from_two_warehouses(told: list[str], http: Any) -> None:
    oscar = await at_demo(http, "harbour").sign_in("oscar", personas.PASSWORD)
    samples = samples_of("buyer")
    await run(oscar, samples["fill-cart"])
    placed = await run(oscar, samples["place-order"])
    orders = placed["orderPlace"]["orders"]
    assert sorted(order["warehouse"]["code"] for order in orders) == ["LON", "MAN"]
    mine = await oscar.ask("{ orders(first: 2) { nodes { number } } }")
    assert {each["number"] for each in mine["orders"]["nodes"]} == {order["number"] for order in orders}


async def test_an_order_is_shipped_closed_or_cancelled_by_the_samples(told: list[str], http: Any) -> None:
    bella, simone = await as_persona(http, "harbour", "buyer"), await as_persona(http, "harbour", "staff")
    buyer, staff = samples_of("buyer"), samples_of("staff")
    placed = []
    for _ in range(2):
        await run(bella, buyer["fill-cart"])
        orders = await bella.ask("mutation { orderPlace(input: {}) { orders { id } errors { code } } }")
        placed.append(orders["orderPlace"]["orders"][0]["id"])
    shipped = (await run(simone, staff["ship-order"], order=placed[0]))["orderShip"]
    assert shipped["order"]["delivery"]["state"] == "PARTIAL"
    closed = (await run(simone, staff["close-order"], order=placed[0]))["orderClose"]
    assert closed["order"]["status"]["processingState"] == "COMPLETED"
    assert closed["order"]["goodsIssues"] == [{"number": shipped["goodsIssues"][0]["number"]}]
    cancelled = (await run(bella, buyer["cancel-order"], order=placed[1]))["orderCancel"]
    assert cancelled["order"]["status"]["processingState"] == "CANCELLED"


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_portal_shares_a_price_list_that_can_be_opened(
    told: list[str], http: Any, slug: str
) -> None:
    buyer = await as_persona(http, slug, "buyer")
    file = (await run(buyer, samples_of("buyer")["files"]))["files"]["nodes"][-1]  # the first one shared
    response = await http.get(file["download"]["url"])
    assert response.headers["content-type"] == file["mediaType"]
    rows = book(response.content)[file["title"]]
    assert len(rows) > 10
    assert rows[1][0] == "K-1001"


@pytest.mark.parametrize("slug", SLUGS)
async def test_the_sample_quotation_fills_the_cart_at_its_prices(
    told: list[str], http: Any, slug: str
) -> None:
    buyer = await as_persona(http, slug, "buyer")
    samples = samples_of("buyer")
    offer = (await run(buyer, samples["my-quotations"]))["quotations"]["nodes"][-1]  # the first one issued
    assert (offer["number"], offer["state"]) == ("QU-000001", "ISSUED")
    filled = (await run(buyer, samples["fill-from-quotation"]))["cartFill"]
    assert [each["sku"] for each in filled["added"]] == [line["sku"] for line in offer["lines"]]
    assert filled["cart"]["totals"]["total"] == offer["totals"]["total"]


def test_the_staffs_tabs_begin_with_the_story() -> None:
    story = ["ids-to-copy", "issue-quotation", "open-orders", "ship-order", "order-statement", "close-order"]
    assert list(samples_of("staff"))[: len(story)] == story


async def test_the_sample_csv_is_told_what_is_wrong_with_it(told: list[str], http: Any) -> None:
    oscar = await at_demo(http, "harbour").sign_in("oscar", personas.PASSWORD)
    filled = (await run(oscar, samples_of("buyer")["fill-from-csv"]))["cartFill"]
    assert [each["line"] for each in filled["added"]] == [2]
    assert [(each["line"], each["code"]) for each in filled["adjusted"]] == [
        (3, "QUANTITY_NOT_DIVISIBLE"),
        (5, "INSUFFICIENT_STOCK"),
    ]
    assert [(each["line"], each["suggestion"]["sku"]) for each in filled["rejected"]] == [(4, "K-1003")]


@pytest.mark.parametrize("slug", SLUGS)
async def test_every_processing_state_is_there_to_be_seen(told: list[str], http: Any, slug: str) -> None:
    staff = await as_persona(http, slug, "staff")
    for state in ("NOT_STARTED", "IN_PROGRESS", "COMPLETED", "CANCELLED"):
        found = await staff.ask(f"{{ orders(filter: {{processingStates: [{state}]}}) {{ totalCount }} }}")
        assert found["orders"]["totalCount"] > 0


async def test_installing_again_changes_nothing(told: list[str], world: World, settings: Settings) -> None:
    async def load(folder: Path, slug: str) -> int:
        raise AssertionError("nothing is imported twice")

    assert len(told) == len(SLUGS)
    storage = open_storage(settings)
    await install(
        world.registry, world.database, storage, load, base_domain="localhost", real=None, tell=told.append
    )
    assert len(told) == len(SLUGS)


async def test_who_is_new_among_the_people_is_added_and_all_else_stays(
    told: list[str], world: World, settings: Settings, http: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def load(folder: Path, slug: str) -> int:
        return 0

    state = """{ accounts { totalCount } contactChanges { totalCount } accessGroups { name version }
      portal { restrictionKinds version } customers { nodes { version contacts { name } } } }"""
    vroni = await as_persona(http, "alpen", "staff")
    before = await vroni.ask(state)
    newcomer = personas.Persona("sepp", "Sepp Moser", "buyer", "C-1002", only="mugs")
    monkeypatch.setitem(personas._PEOPLE, "alpen", [*personas.of_portal("alpen"), newcomer])
    said: list[str] = []
    storage = open_storage(settings)
    await install(
        world.registry, world.database, storage, load, base_domain="localhost", real=None, tell=said.append
    )
    assert said == ["Setting up Alpenblick Handel (alpen) ..."]
    after = await vroni.ask(state)
    assert after.pop("accounts")["totalCount"] == before.pop("accounts")["totalCount"] + 1
    assert after == before
    assert await seen_by(await at_demo(http, "alpen").sign_in("sepp", personas.PASSWORD)) == {"mugs"}


async def test_the_demos_ledger_equals_its_documents(told: list[str], world: World, at: At) -> None:
    async with world.database.transaction(Mode.SNAPSHOT, None) as connection:
        tenant_id = await db.portals.tenant_by_slug(connection, "harbour")
    async with world.database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
        documents = await connection.fetch_text(
            "select (select sum(total) from invoices) - (select sum(total) from credit_notes)"
            " - (select sum(case kind when 'REFUND' then -amount else amount end) from payments)"
        )
        ledger = await connection.fetch_text("select sum(amount) from movements")
    assert documents[0][0] == ledger[0][0] != 0


@pytest.mark.parametrize("slug", SLUGS)
async def test_there_is_a_document_of_every_kind_to_be_seen_and_printed(
    told: list[str], http: Any, slug: str
) -> None:
    accountant = await as_persona(http, slug, "accountant")
    found = await accountant.ask(
        "{ supplierDocuments(first: 100) { nodes { kind related { id } download { url } } } }"
    )
    newest = {each["kind"]: each for each in reversed(found["supplierDocuments"]["nodes"])}
    assert newest.keys() == set(DocumentKind)
    for kind, document in newest.items():
        assert (await http.get(document["download"]["url"])).content.startswith(b"%PDF-"), kind
    assert all(newest[kind]["related"] for kind in ("TAX_INVOICE", "GOODS_RETURN", "CREDIT_NOTE"))


@pytest.mark.parametrize("slug", SLUGS)
async def test_goods_are_asked_to_go_back_and_questions_are_asked_at_every_stage(
    told: list[str], http: Any, slug: str
) -> None:
    staff, buyer = await as_persona(http, slug, "staff"), await as_persona(http, slug, "buyer")
    shown = """{
        portal { returnDays firstAnswerHours resolutionHours }
        rmaRequests(orderBy: [CREATED_AT_ASC], first: 3) { nodes { number lines { resolution } related { id } } }
        supportTickets(filter: {number: "ST-00000"}, orderBy: [OPENED_AT_ASC]) { nodes { number about { __typename }
          openedBy { name } resolution messages { nodes { internal } } } } }"""
    found, seen = await staff.ask(shown), await buyer.ask(shown)
    assert found["portal"] == {"returnDays": 3650, "firstAnswerHours": 24, "resolutionHours": 120}
    requests = found["rmaRequests"]["nodes"]
    assert [each["number"] for each in requests] == ["RM-000001", "RM-000002", "RM-000003"]
    assert [[line["resolution"] for line in each["lines"]] for each in requests[:2]] == [
        ["RETURN"],
        ["REPLACE", "DECLINED"],
    ]
    assert len(requests[0]["related"]) == 3  # its invoice, its goods return and its credit note
    assert requests == seen["rmaRequests"]["nodes"]
    closed, answered, asked = found["supportTickets"]["nodes"][:3]
    assert closed["about"] is None
    assert closed["resolution"] == "MET"
    assert [each["about"]["__typename"] for each in (answered, asked)] == ["Quotation", "RMARequest"]
    assert [each["internal"] for each in answered["messages"]["nodes"]] == [False, True, False]
    mine = seen["supportTickets"]["nodes"][1]
    assert mine["number"] == answered["number"]
    assert [each["internal"] for each in mine["messages"]["nodes"]] == [False, False]


@pytest.mark.parametrize("slug", SLUGS)
async def test_an_order_of_the_first_customer_is_charged_paid_in_part_and_credited_in_part(
    told: list[str], http: Any, slug: str
) -> None:
    buyer = await as_persona(http, slug, "accountant")
    found = await buyer.ask(
        """{ orders(orderBy: [NUMBER_ASC], filter: {processingStates: [IN_PROGRESS]}, first: 1) { nodes {
        goodsIssues { number } payment { state } } } }"""
    )
    order = found["orders"]["nodes"][0]
    assert order["goodsIssues"][0]["number"] == "GI-000001"
    assert order["payment"]["state"] == "PARTLY_PAID"
