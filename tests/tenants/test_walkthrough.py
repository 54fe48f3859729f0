"""The whole way over HTTP: staff restricts, provisions and hands over a code; the customer sees what is left."""

from typing import Any

from db.categories import categories
from rules.permissions import StaffRole
from tests.client import Client
from tests.conftest import At
from tests.world import World, put

ACTIVATE = """mutation($input: AccountActivateInput!) { accountActivate(input: $input) {
  token viewer { account { userName } accessGroups { name restrictions { kind } } } errors { code message } } }"""


async def do(client: Client, mutation: str, result: str, **given: Any) -> dict[str, Any]:
    """A mutation that has to work; `result` is what to read of its payload."""
    type_name = f"{mutation[0].upper()}{mutation[1:]}Input"
    document = f"""mutation($input: {type_name}!) {{ {mutation}(input: $input) {{
      {result} errors {{ code message path }} }} }}"""
    answer: dict[str, Any] = (await client.ask(document, input=given))[mutation]
    assert answer["errors"] == [], answer
    return answer


async def test_a_customer_of_a_restricted_group_sees_one_category_and_nothing_else_has_changed(
    world: World, at: At
) -> None:
    portal = await world.portal()
    async with portal.writing() as connection:
        mugs = await put(connection, categories, code="mugs", name="Mugs", parent_id=portal.category_id)
    await portal.product("MUG", category_id=mugs, name="Blue mug")
    await portal.product("BOWL", name="Blue bowl")
    await portal.account("oscar")
    await portal.staff_member("olga", role=StaffRole.OWNER)
    olga, oscar = await at(portal).sign_in("olga"), await at(portal).sign_in("oscar")
    seen = "{ products { totalCount nodes { sku } } categories { code } }"
    before = await oscar.ask(seen)

    await do(olga, "portalUpdate", "portal { open }", open=False)
    await do(olga, "portalUpdate", "portal { open }", open=True)
    kinds = await do(
        olga, "portalUpdate", "portal { restrictionKinds }", restrictionKinds=["PRODUCT_CATEGORY"]
    )
    assert kinds["portal"] == {"restrictionKinds": ["PRODUCT_CATEGORY"]}
    found = await olga.ask("{ profiles { id builtIn } categories { id code } customers { nodes { id } } }")
    profile = next(each["id"] for each in found["profiles"] if each["builtIn"] == "CUSTOMER")
    category = next(each["id"] for each in found["categories"] if each["code"] == "mugs")
    group = await do(
        olga,
        "accessGroupCreate",
        "accessGroup { id name profile { name } restrictions { kind mode inForce categories { code } } }",
        name="Mugs only",
        profile=profile,
        restrictions=[{"kind": "PRODUCT_CATEGORY", "mode": "DENY_EXCEPT", "categories": [category]}],
    )
    assert group["accessGroup"]["restrictions"] == [
        {
            "kind": "PRODUCT_CATEGORY",
            "mode": "DENY_EXCEPT",
            "inForce": True,
            "categories": [{"code": "mugs"}],
        }
    ]
    provisioned = await do(
        olga,
        "accountProvision",
        "account { id activated memberships { group { name } endsOn } } activationCode",
        customer=found["customers"]["nodes"][0]["id"],
        userName="Mia",
        name="Mia Mugs",
        email="mia@customers.example",
        groups=[{"group": group["accessGroup"]["id"]}],
    )
    assert provisioned["account"]["activated"] is False
    assert provisioned["account"]["memberships"] == [{"group": {"name": "Mugs only"}, "endsOn": None}]

    activated = (
        await at(portal).ask(
            ACTIVATE,
            input={
                "userName": "mia",
                "code": provisioned["activationCode"].lower(),
                "password": "a quiet harbour",
            },
        )
    )["accountActivate"]
    assert activated["errors"] == []
    assert activated["viewer"]["account"] == {"userName": "mia"}
    assert activated["viewer"]["accessGroups"] == [{"name": "Mugs only", "restrictions": None}]
    mia = at(portal)
    mia.token = activated["token"]
    assert await mia.ask(seen) == {
        "products": {"totalCount": 1, "nodes": [{"sku": "MUG"}]},
        "categories": [{"code": "mugs"}],
    }
    assert await oscar.ask(seen) == before

    explained = await olga.ask(
        """query($account: ID!, $node: ID!) { explainAccess(account: $account, node: $node) { visible reason
        groups { allowed group { name } restrictions { kind allowed inForce decidedBy { id } } } } }""",
        account=provisioned["account"]["id"],
        node=(await olga.ask('{ product(sku: "BOWL") { id } }'))["product"]["id"],
    )
    assert explained["explainAccess"] == {
        "visible": False,
        "reason": "RESTRICTED",
        "groups": [
            {
                "allowed": False,
                "group": {"name": "Mugs only"},
                "restrictions": [
                    {"kind": "PRODUCT_CATEGORY", "allowed": False, "inForce": True, "decidedBy": None}
                ],
            }
        ],
    }
    log = await olga.ask("{ auditLog { nodes { action staffMember { userName } account { userName } } } }")
    assert [each["action"] for each in log["auditLog"]["nodes"]][:6] == [
        "accountActivate",
        "accountActivate",
        "accountProvision",
        "accessGroupCreate",
        "portalUpdate",
        "portalUpdate",
    ]
