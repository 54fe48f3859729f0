"""Customers, over HTTP: who sees them, how the staff finds them, what each of them says."""

from typing import Any

import pytest

from db.contacts import addresses, contacts
from db.customers import customers
from db.prices import price_lists
from rules.permissions import BuiltInProfile, StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import Portal, World, put

LIST = """query($filter: CustomerFilter, $orderBy: [CustomerOrder!], $first: Int, $after: String, $last: Int,
  $before: String) { customers(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last,
  before: $before) { totalCount nodes { code } edges { cursor node { code } }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
ALL = """id code name country currency email phone version priceList { code name taxIncluded }
  creditLimit { amount currency } contacts { name jobTitle email phone }
  addresses { kind name street postalCode city region country } accounts { userName }"""
ONE = f"query($id: ID, $code: String) {{ customer(id: $id, code: $code) {{ {ALL} }} }}"
OWN = f"{{ viewer {{ customer {{ {ALL} }} }} }}"
NODE = "query($id: ID!) { node(id: $id) { id ... on Customer { code } } }"

# Codes, names and countries; C1 is made with the account.
CROWD = {
    "A-1": ("Zander & Söhne", "Deutschland"),
    "A-2": ("Ähren Großhandel", "Deutschland"),
    "B-1": ("Blue Harbour Trading", "United Kingdom"),
    "b-2": ("100% Tea_House", "United Kingdom"),
}


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.account("bea")
    await portal.staff_member("stan")
    async with portal.writing() as connection:
        for code, (name, country) in CROWD.items():
            portal.customers[code] = await put(
                connection, customers, code=code, name=name, country=country, currency="GBP", email=""
            )
    return portal


@pytest.fixture
async def stan(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("stan")


async def found(client: Client, **asked: Any) -> list[str]:
    """The codes of the customers on a page."""
    page = (await client.ask(LIST, **asked))["customers"]
    assert [each["node"] for each in page["edges"]] == page["nodes"]
    return [each["code"] for each in page["nodes"]]


async def one(client: Client, **asked: str) -> dict[str, Any] | None:
    customer: dict[str, Any] | None = (await client.ask(ONE, **asked))["customer"]
    return customer


async def furnish(portal: Portal, code: str = "B-1") -> None:
    """Give a customer a price list, a credit limit, two persons and two addresses."""
    async with portal.writing() as connection:
        gold = await put(connection, price_lists, code="gold", name="Gold", tax_included=True)
        customer_id = portal.customers[code]
        await connection.fetch_text(
            """update customers set price_list_id = $1, credit_limit = 123450, phone = '+44 1', currency = 'EUR'
            where id = $2""",
            gold,
            customer_id,
        )
        for position, name in ((2, "Ann"), (1, "Zoe")):
            await put(
                connection,
                contacts,
                customer_id=customer_id,
                position=position,
                name=name,
                job_title="Buying",
                email=f"{name.lower()}@customers.example",
                phone="+44 2",
            )
        for position, kind in ((2, "SHIPPING"), (1, "BILLING")):
            await put(
                connection,
                addresses,
                customer_id=customer_id,
                position=position,
                kind=kind,
                name="Dock",
                street="1 Quay Street",
                postal_code="HU1",
                city="Hull",
                region="Yorkshire",
                country="United Kingdom",
            )


FURNISHED = {
    "code": "B-1",
    "name": "Blue Harbour Trading",
    "country": "United Kingdom",
    "currency": "EUR",
    "email": "",
    "phone": "+44 1",
    "version": 1,
    "priceList": {"code": "gold", "name": "Gold", "taxIncluded": True},
    "creditLimit": {"amount": "1234.50", "currency": "EUR"},
    "contacts": [
        {"name": name, "jobTitle": "Buying", "email": f"{name.lower()}@customers.example", "phone": "+44 2"}
        for name in ("Zoe", "Ann")
    ],
    "addresses": [
        {
            "kind": kind,
            "name": "Dock",
            "street": "1 Quay Street",
            "postalCode": "HU1",
            "city": "Hull",
            "region": "Yorkshire",
            "country": "United Kingdom",
        }
        for kind in ("BILLING", "SHIPPING")
    ],
}


async def test_an_outsider_sees_no_customer(portal: Portal, at: At) -> None:
    for question in ("{ customers { totalCount } }", '{ customer(code: "A-1") { name } }'):
        assert (await at(portal).refusal(question))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_another_tenants_customers_are_as_if_they_did_not_exist(
    world: World, portal: Portal, stan: Client, at: At
) -> None:
    other = await world.portal()
    await other.customer("THEIRS")
    await other.staff_member("olga")
    theirs = await one(await at(other).sign_in("olga"), code="THEIRS")
    assert theirs is not None
    assert await one(stan, code="THEIRS") is None
    assert await one(stan, id=theirs["id"]) is None
    assert await stan.ask(NODE, id=theirs["id"]) == {"node": None}
    assert await found(stan, filter={"codes": ["THEIRS"]}) == []
    assert "THEIRS" not in await found(stan, first=100)


@pytest.mark.parametrize("profile", BuiltInProfile)
async def test_customers_are_for_staff_alone(profile: BuiltInProfile, portal: Portal, at: At) -> None:
    await portal.account("kim", profile=profile)
    kim = await at(portal).sign_in("kim")
    for question in ("{ customers { totalCount } }", '{ customer(code: "C1") { name } }'):
        assert (await kim.refusal(question))["extensions"]["code"] == "MISSING_PERMISSION"


@pytest.mark.parametrize("role", StaffRole)
async def test_all_of_the_staff_sees_customers(role: StaffRole, portal: Portal, at: At) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    assert await found(sam) == sorted([*CROWD, "C1"])


async def test_an_account_sees_its_own_customer_whole_and_no_other(
    portal: Portal, stan: Client, at: At
) -> None:
    await furnish(portal)
    await portal.account("ben", customer="B-1", profile=BuiltInProfile.VIEWER)
    ben = await at(portal).sign_in("ben")
    own = (await ben.ask(OWN))["viewer"]["customer"]
    assert {name: own[name] for name in FURNISHED} == FURNISHED
    assert own["accounts"] == [{"userName": "ben"}]
    assert await ben.ask(NODE, id=own["id"]) == {"node": {"id": own["id"], "code": "B-1"}}
    another = await one(stan, code="C1")
    assert another is not None
    assert await ben.ask(NODE, id=another["id"]) == {"node": None}


async def test_the_staff_sees_all_of_a_customer_by_its_code_and_by_its_id(
    portal: Portal, stan: Client
) -> None:
    await furnish(portal)
    await portal.account("ben", customer="B-1")
    await portal.account("abe", customer="B-1", profile=None)
    by_code = await one(stan, code="B-1")
    assert by_code is not None
    assert by_code == FURNISHED | {
        "id": by_code["id"],
        "accounts": [{"userName": "abe"}, {"userName": "ben"}],
    }
    assert await one(stan, id=by_code["id"]) == by_code


async def test_a_customer_without_more_has_the_portals_prices_and_no_limit(stan: Client) -> None:
    plain = await one(stan, code="A-1")
    assert plain is not None
    assert plain["priceList"] == {"code": "wholesale", "name": "Wholesale", "taxIncluded": False}
    assert plain["creditLimit"] is None
    assert (plain["phone"], plain["contacts"], plain["addresses"], plain["accounts"]) == ("", [], [], [])


@pytest.mark.parametrize("asked", [{"code": "a-1"}, {"code": ""}, {"id": "x"}, {"id": ""}])
async def test_what_names_no_customer_finds_none(asked: dict[str, str], stan: Client) -> None:
    assert await one(stan, **asked) is None


@pytest.mark.parametrize("both", [False, True])
async def test_a_customer_is_named_by_exactly_one_of_id_and_code(
    both: bool, portal: Portal, stan: Client
) -> None:
    customer = await one(stan, code="A-1")
    assert customer is not None
    asked = {"id": customer["id"], "code": "A-1"} if both else {}
    error = await stan.refusal(ONE, **asked)
    assert (error["extensions"]["code"], error["extensions"]["argument"]) == ("INVALID_INPUT", ["id"])


async def test_the_id_of_something_else_is_no_customers(stan: Client) -> None:
    portal_id = (await stan.ask("{ portal { id } }"))["portal"]["id"]
    assert await one(stan, id=portal_id) is None


@pytest.mark.parametrize(
    ("search", "codes"),
    [
        ("A-", ["A-1", "A-2"]),
        ("B-1", ["B-1"]),
        ("blue", ["B-1"]),
        ("HARB", ["B-1"]),
        (" trading ", ["B-1"]),
        ("harbour tra", ["B-1"]),
        ("arbour", []),
        ("ÄHREN", ["A-2"]),
        ("söhn", ["A-1"]),
        ("GROSS", []),
        ("große", []),
        ("großh", ["A-2"]),
        ("  ", ["A-1", "A-2", "B-1", "C1", "b-2"]),
        ("%", []),
        ("_", []),
        ("100%", ["b-2"]),
        ("100_", []),
        ("te_", []),
        ("tea_h", ["b-2"]),
        ("\\", []),
        ("' or true --", []),
    ],
)
async def test_a_search_finds_how_codes_and_words_of_names_begin(
    search: str, codes: list[str], stan: Client
) -> None:
    assert await found(stan, filter={"search": search}) == codes


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({"codes": ["b-2", "A-1", "nobody", "a-2"]}, ["A-1", "b-2"]),
        ({"codes": []}, []),
        ({"country": "Deutschland"}, ["A-1", "A-2"]),
        ({"country": "deutschland"}, []),
        ({"country": "Deutschland", "search": "z"}, ["A-1"]),
        ({"country": "Deutschland", "codes": ["A-2", "B-1"], "search": "a"}, []),
    ],
)
async def test_all_filters_must_hold(given: dict[str, Any], codes: list[str], stan: Client) -> None:
    assert await found(stan, filter=given) == codes
    assert (await stan.ask(LIST, filter=given))["customers"]["totalCount"] == len(codes)


async def test_more_codes_than_are_taken_are_refused(stan: Client) -> None:
    assert await found(stan, filter={"codes": ["A-1"] * 1_000}) == ["A-1"]
    error = await stan.refusal(LIST, filter={"codes": ["A-1"] * 1_001})
    assert error["extensions"] == {"code": "INVALID_INPUT", "argument": ["filter", "codes"]}


@pytest.mark.parametrize("by", ["CODE", "NAME"])
async def test_customers_come_in_the_order_asked_for_page_by_page(by: str, stan: Client) -> None:
    names = {code: name for code, (name, _) in CROWD.items()} | {"C1": "Customer C1"}
    expected = sorted(names, key=names.__getitem__) if by == "NAME" else sorted(names)
    assert await found(stan, orderBy=[f"{by}_ASC"]) == expected
    assert await found(stan, orderBy=[f"{by}_DESC"]) == expected[::-1]
    page = (await stan.ask(LIST, orderBy=[f"{by}_ASC"], first=2))["customers"]
    assert page["totalCount"] == 5
    assert (page["pageInfo"]["hasNextPage"], page["pageInfo"]["hasPreviousPage"]) == (True, False)
    walked = [each["code"] for each in page["nodes"]]
    while page["pageInfo"]["hasNextPage"]:
        after = page["pageInfo"]["endCursor"]
        page = (await stan.ask(LIST, orderBy=[f"{by}_ASC"], first=2, after=after))["customers"]
        walked += [each["code"] for each in page["nodes"]]
    assert walked == expected
    before = page["pageInfo"]["startCursor"]
    assert await found(stan, orderBy=[f"{by}_ASC"], last=3, before=before) == expected[1:4]


async def test_a_cursor_of_another_order_is_refused(stan: Client) -> None:
    cursor = (await stan.ask(LIST, first=1))["customers"]["pageInfo"]["endCursor"]
    error = await stan.refusal(LIST, orderBy=["NAME_ASC"], after=cursor)
    assert error["extensions"] == {"code": "INVALID_CURSOR", "argument": ["after"]}
