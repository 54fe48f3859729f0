"""The audit, over HTTP: every write says who did it, for whom, when and with which request."""

import base64
import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from rich.console import Console

import db
from resolvers.context import Context
from rules.permissions import BuiltInProfile, StaffRole
from rules.trusted_documents import hash_of
from server.importing import import_folder
from server.settings import Settings
from tests.client import Client
from tests.conftest import At
from tests.files import PDF
from tests.rules.test_logos import png
from tests.tenants.questions import root
from tests.world import PASSWORD, Portal, World

ENTRY = """id at action requestId nodeId node { __typename id } account { userName } staffMember { userName }
  onBehalfOf { code } changes { field before after }"""
LOG = f"""query($filter: AuditFilter, $orderBy: [AuditOrder!], $first: Int, $after: String) {{
  auditLog(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {{ totalCount
  nodes {{ {ENTRY} }} edges {{ cursor node {{ id }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
NODE = "query($id: ID!) { node(id: $id) { id ... on AuditEntry { action } } }"
NEXT_PASSWORD = "another quiet harbour"


@pytest.fixture
async def portal(world: World) -> Portal:
    portal = await world.portal()
    await portal.product("A")
    await portal.product("B")
    await portal.account("bea", profile=BuiltInProfile.CUSTOMER)
    await portal.staff_member("olga", role=StaffRole.OWNER)
    return portal


@pytest.fixture
async def bea(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("bea")


@pytest.fixture
async def olga(portal: Portal, at: At) -> Client:
    return await at(portal).sign_in("olga")


async def send(client: Client, mutation: str, result: str = "", **given: Any) -> dict[str, Any]:
    """The payload of a mutation, whose name becomes the request's id too."""
    document = f"mutation {{ {mutation} {{ errors {{ code path }} }} }}"
    if root("mutation").fields[mutation].args:
        kind = f"{mutation[0].upper()}{mutation[1:]}Input!"
        document = (
            f"mutation($input: {kind}) {{ {mutation}(input: $input) {{ {result} errors {{ code path }} }} }}"
        )
    somebody = Client(client.http, client.slug, client.token, {"x-request-id": mutation})
    answer: dict[str, Any] = (await somebody.ask(document, input=given))[mutation]
    return answer


async def do(client: Client, mutation: str, result: str = "", **given: Any) -> dict[str, Any]:
    """The payload of a mutation that has to work."""
    answer = await send(client, mutation, result, **given)
    assert answer["errors"] == [], answer
    return answer


async def log(client: Client, **filter: Any) -> list[dict[str, Any]]:
    """The entries that pass a filter, newest first, page by page."""
    entries: list[dict[str, Any]] = []
    after = None
    while True:
        page = (await client.ask(LOG, filter=filter, first=100, after=after))["auditLog"]
        assert [each["node"]["id"] for each in page["edges"]] == [each["id"] for each in page["nodes"]]
        entries += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            assert page["totalCount"] == len(entries)
            return entries


async def kept(portal: Portal) -> list[tuple[Any, ...]]:
    """All entries of a portal as they stand in the table, oldest first."""
    async with portal.writing() as connection:
        found = await connection.fetch_text(
            "select action, node_type, before, after, request_id, id from audit_entries order by at, id"
        )
    return [tuple(row) for row in found]


def changed(entry: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The changes of an entry by field, as values."""
    return {
        each["field"]: (json.loads(each["before"] or "null"), json.loads(each["after"] or "null"))
        for each in entry["changes"]
    }


async def test_an_outsider_reads_no_audit(portal: Portal, at: At) -> None:
    assert (await at(portal).refusal(LOG))["extensions"]["code"] == "UNAUTHENTICATED"


async def test_another_tenants_entries_are_never_there(world: World, at: At) -> None:
    home, other = await world.portal(), await world.portal()
    sister = await world.portal(supplier=home.slug)
    await home.staff_member("olga", role=StaffRole.OWNER)
    await other.staff_member("oscar", role=StaffRole.OWNER)
    olga = await at(home).sign_in("olga")
    for portal, user_name in ((other, "oscar"), (sister, "olga")):
        theirs = await at(portal).sign_in(user_name)
        await do(theirs, "portalUpdate", name="Theirs")
        foreign = await log(theirs)
        assert [each["action"] for each in foreign] == ["portalUpdate", "signIn"]
        assert [each["action"] for each in await log(olga)] == ["signIn"]
        assert await log(olga, node=foreign[0]["nodeId"]) == []
        assert await log(olga, requestId="portalUpdate") == []
        assert await olga.ask(NODE, id=foreign[0]["id"]) == {"node": None}


@pytest.mark.parametrize("role", StaffRole)
async def test_the_audit_is_for_owners_and_managers(
    role: StaffRole, portal: Portal, olga: Client, at: At
) -> None:
    await portal.staff_member("sam", role=role)
    sam = await at(portal).sign_in("sam")
    entry_id = (await log(olga))[0]["id"]
    if role in (StaffRole.OWNER, StaffRole.MANAGER):
        assert [each["action"] for each in await log(sam)] == ["signIn", "signIn"]
        assert await sam.ask(NODE, id=entry_id) == {"node": {"id": entry_id, "action": "signIn"}}
    else:
        assert (await sam.refusal(LOG))["extensions"]["code"] == "MISSING_PERMISSION"
        assert await sam.ask(NODE, id=entry_id) == {"node": None}


async def test_a_customer_reads_no_audit(bea: Client, olga: Client) -> None:
    assert (await bea.refusal(LOG))["extensions"]["code"] == "MISSING_PERMISSION"
    own = await log(olga, actions=["signIn"])
    assert await bea.ask(NODE, id=own[1]["id"]) == {"node": None}


class Story:
    """Somebody does everything that can be done; `secrets` is what nobody may ever read again."""

    def __init__(self, portal: Portal, at: At) -> None:
        self.portal, self.at = portal, at
        self.secrets = {PASSWORD, NEXT_PASSWORD}

    async def sign_in(self, user_name: str) -> Client:
        answer = await do(self.at(self.portal), "signIn", "token", userName=user_name, password=PASSWORD)
        return self.client(answer["token"])

    def client(self, token: str) -> Client:
        self.secrets |= {token, hashlib.sha256(token.encode()).hexdigest()}
        client = self.at(self.portal)
        client.token = token
        return client

    async def tell(self) -> None:
        """From the first sign-in to the last sign-out."""
        self.olga, self.bea = await self.sign_in("olga"), await self.sign_in("bea")
        await self.order()
        await self.ask()
        await self.get_help()
        await self.keep_the_catalogue()
        await self.share()
        await self.provision()
        await self.run_the_company()
        await self.connect()
        await do(self.bea, "signOut")

    async def connect(self) -> None:
        """The company's own systems are told."""
        new = {"name": "ERP", "url": "http://127.0.0.1:9/hook", "events": ["ORDER_PLACED"]}
        made = await do(self.olga, "webhookCreate", "secret webhook { id }", **new)
        this = {"webhook": made["webhook"]["id"]}
        await do(self.olga, "webhookTest", **this)
        changed = await do(self.olga, "webhookUpdate", "secret", **this, rotateSecret=True)
        self.secrets |= {made["secret"], changed["secret"]}
        async with self.portal.writing() as connection:
            await connection.fetch_text("update webhook_deliveries set state = 'DEAD'")
        await do(self.olga, "webhookRetry", **this)
        await do(self.olga, "webhookDelete", **this)

    async def order(self) -> None:
        lines = [{"sku": sku, "quantity": "2"} for sku in ("A", "B")]
        answer = await do(self.bea, "cartAddItems", "cart { items { id } }", items=lines)
        first, second = (each["id"] for each in answer["cart"]["items"])
        await do(self.bea, "cartUpdateItem", item=first, quantity="3")
        await do(self.bea, "cartRemoveItem", item=second)
        await do(self.bea, "orderPlace")
        await do(self.bea, "cartClear")
        await self.offer()
        await self.fulfil()
        await self.state()

    async def fulfil(self) -> None:
        given = {"subject": "ORDER", "code": "packing", "processingState": "IN_PROGRESS"}
        names = {"nameEn": "Packing", "nameDe": "Wird gepackt"}
        made = await do(self.olga, "lifecycleStatusCreate", "lifecycleStatus { id }", **given, **names)
        status = made["lifecycleStatus"]["id"]
        await do(self.olga, "lifecycleStatusUpdate", lifecycleStatus=status, nameEn="Being packed")
        order = {"order": (await self.bea.ask("{ orders { nodes { id } } }"))["orders"]["nodes"][0]["id"]}
        await do(self.olga, "orderUpdate", **order, status=status, note="Soon")
        await do(self.olga, "orderShip", **order, lines=[{"position": 1, "quantity": "1"}])
        await do(self.olga, "orderClose", **order)
        await self.charge(order)
        await do(self.bea, "cartAddItems", items=[{"sku": "A", "quantity": "1"}])
        placed = await do(self.bea, "orderPlace", "orders { id }")
        await do(self.bea, "orderCancel", order=placed["orders"][0]["id"], reason="A mistake")

    async def state(self) -> None:
        viewer = await self.bea.ask("{ viewer { customer { id } } }")
        asked = {
            "customer": viewer["viewer"]["customer"]["id"],
            "periodFrom": "2026-03-01",
            "periodTo": "2026-03-31",
        }
        for answer, more in (("Confirm", {}), ("Dispute", {"reason": "A payment is missing"})):
            made = await do(
                self.olga, "reconciliationStatementIssue", "reconciliationStatement { id }", **asked
            )
            given = {"reconciliationStatement": made["reconciliationStatement"]["id"], **more}
            await do(self.bea, f"reconciliationStatement{answer}", **given)

    async def draft(self, order: dict[str, str]) -> None:
        made = await do(self.olga, "invoiceIssue", "draft { id }", **order, draft=True)
        this = {"documentDraft": made["draft"]["id"]}
        await do(self.olga, "invoiceDraftUpdate", **this, comment="Soon")
        await do(self.olga, "documentDraftDelete", **this)

    async def charge(self, order: dict[str, str]) -> None:
        await self.draft(order)
        bill = (await do(self.olga, "invoiceIssue", "invoice { id customer { id } }", **order))["invoice"]
        of_bill = {"invoice": bill["id"]}
        tax = await do(self.olga, "taxInvoiceIssue", "taxInvoice { id }", **of_bill)
        line = {"position": 1, "quantity": "1"}
        await do(self.olga, "goodsReturnReceive", **of_bill, lines=[line])
        new = {**of_bill, "operation": "ADJUSTMENT"}
        made = await do(self.olga, "creditNoteIssue", "draft { id }", **new, draft=True)
        this = {"documentDraft": made["draft"]["id"]}
        await do(self.olga, "creditNoteDraftUpdate", **this, comment="Sorry")
        await do(self.olga, "creditNoteIssue", **this)
        paid = await do(
            self.olga, "paymentRecord", "payment { id }", customer=bill["customer"]["id"], amount="1"
        )
        payment = {"payment": paid["payment"]["id"]}
        await self.charge_again(payment)
        await do(self.olga, "paymentReverse", **payment, reason="Bounced")
        await do(self.olga, "supplierDocumentReverse", document=tax["taxInvoice"]["id"], reason="Wrong")

    async def charge_again(self, payment: dict[str, str]) -> None:
        """Another order, so that something is open that a payment can settle."""
        await do(self.bea, "cartAddItems", items=[{"sku": "A", "quantity": "1"}])
        order = {"order": (await do(self.bea, "orderPlace", "orders { id }"))["orders"][0]["id"]}
        await do(self.olga, "orderShip", **order)
        bill = (await do(self.olga, "invoiceIssue", "invoice { id }", **order))["invoice"]
        await do(
            self.olga, "paymentAllocate", **payment, allocations=[{"invoice": bill["id"], "amount": "1"}]
        )
        await self.send_back(bill["id"])

    async def send_back(self, bill: str) -> None:
        new = {
            "invoice": bill,
            "lines": [{"invoicePosition": 1, "quantity": "1", "problem": "Broken"}],
        }
        this: dict[str, str] = {}
        for end in ("rmaRequestDelete", "rmaRequestSubmit"):
            made = await do(self.bea, "rmaRequestCreate", "rmaRequest { id }", **new)
            this = {"rmaRequest": made["rmaRequest"]["id"]}
            await do(self.bea, "rmaRequestUpdate", **this, comment="Sorry")
            await do(self.bea, end, **this)
        line = {"position": 1, "resolution": "REPLACE"}
        await do(self.olga, "rmaRequestDecide", **this, lines=[line])
        await do(self.olga, "rmaRequestReplace", **this)
        await do(self.olga, "rmaRequestClose", **this, outcome="COMPLETED")

    async def offer(self) -> None:
        viewer = await self.bea.ask("{ viewer { customer { id } } }")
        new = {
            "customer": viewer["viewer"]["customer"]["id"],
            "lines": [{"sku": "A", "quantity": "2", "unitPrice": "1.50"}],
            "validUntil": "2999-12-31",
        }
        draft = await do(self.olga, "quotationIssue", "quotation { id }", **new, draft=True)
        await do(self.olga, "quotationUpdate", quotation=draft["quotation"]["id"], comment="Soon")
        await do(self.olga, "quotationDelete", quotation=draft["quotation"]["id"])
        offered = await do(self.olga, "quotationIssue", "quotation { id }", **new)
        source: dict[str, Any] = {"from": {"quotation": offered["quotation"]["id"]}}
        await do(self.bea, "cartFill", **source)
        await do(self.bea, "quotationDecline", quotation=offered["quotation"]["id"], reason="Too dear")

    async def ask(self) -> None:
        for turn in range(2):
            answer = await do(self.bea, "contactChangeRequest", "contactChange { id }", phone=str(turn))
            this = {"contactChange": answer["contactChange"]["id"]}
            if turn == 0:
                await do(self.bea, "contactChangeWithdraw", **this)
            else:
                await do(self.olga, "contactChangeDecide", **this, accept=True)

    async def get_help(self) -> None:
        opened = await do(self.bea, "supportTicketOpen", "supportTicket { id }", subject="A", text="A")
        this = {"ticket": opened["supportTicket"]["id"]}
        await do(self.olga, "supportTicketReply", **this, text="B")
        member = (await self.olga.ask("{ viewer { staffMember { id } } }"))["viewer"]["staffMember"]["id"]
        await do(self.olga, "supportTicketAssign", **this, assignee=member)
        await do(self.bea, "supportTicketClose", **this)
        await do(self.olga, "supportTicketReopen", **this)

    async def share(self) -> None:
        new = {"name": "a.pdf", "mediaType": "application/pdf", "size": len(PDF)}
        announced = await do(self.olga, "uploadCreate", "upload { id request { url } }", **new)
        upload = announced["upload"]
        self.secrets.add(upload["request"]["url"].rpartition("/")[2])
        assert (await self.olga.http.put(upload["request"]["url"], content=PDF)).status_code == 204
        given = {"upload": upload["id"], "audience": {"kind": "ALL_CUSTOMERS"}}
        shared = await do(self.olga, "fileShare", "file { id }", **given)
        this = {"file": shared["file"]["id"]}
        await do(self.olga, "fileUpdate", **this, title="Prices")
        await do(self.olga, "fileUnshare", **this)

    async def keep_the_catalogue(self) -> None:
        olga = self.olga
        await do(olga, "warehousesUpsert", rows=[{"code": "W9", "name": "Ninth"}])
        await do(olga, "categoriesUpsert", rows=[{"code": "new", "name": "New", "parent": "all"}])
        await do(olga, "attributesUpsert", rows=[{"code": "size", "nameEn": "Size", "nameDe": "Größe"}])
        product = {"sku": "N", "name": "New", "unit": "pcs", "taxRate": "20", "category": "new"}
        said = [{"attribute": "size", "value": "large"}]
        await do(olga, "productsUpsert", rows=[product | {"attributes": said}])
        await do(olga, "pricesUpsert", rows=[{"sku": "N", "priceList": "wholesale", "unitPrice": "3.50"}])
        await do(olga, "stockUpsert", rows=[{"sku": "N", "warehouse": "W9", "onHand": "12"}])

    async def provision(self) -> None:
        olga = self.olga
        rows = [{"code": "N", "name": "New"}]
        upserted = await do(olga, "customersUpsert", "customers { id }", rows=rows)
        made = await do(olga, "profileCreate", "profile { id }", name="Reader", permissions=["PRODUCTS_READ"])
        profile = made["profile"]["id"]
        await do(olga, "profileUpdate", profile=profile, name="Readers")
        made = await do(olga, "accessGroupCreate", "accessGroup { id }", name="All", profile=profile)
        group = made["accessGroup"]["id"]
        await do(olga, "accessGroupUpdate", group=group, name="Everybody")
        person = {"userName": "mia", "name": "Mia", "email": "mia@customers.example"}
        answer = await do(
            olga,
            "accountProvision",
            "account { id } activationCode",
            customer=upserted["customers"][0]["id"],
            groups=[{"group": group}],
            **person,
        )
        account = {"account": answer["account"]["id"]}
        await self.activate("mia", answer["activationCode"])
        await do(olga, "accountUpdate", **account, name="Mia Mugs")
        self.client((await do(olga, "accountViewAs", "token", **account))["token"])
        reset = await do(olga, "accountResetAccess", "activationCode", **account)
        self.secrets.add(reset["activationCode"])
        await self.write_again(account["account"])
        await do(olga, "accountDeactivate", **account)
        for delete in ("accessGroupDelete", "profileDelete"):
            made = await do(olga, "profileCreate", "profile { id }", name=delete, permissions=[])
            doomed = {"profile": made["profile"]["id"]}
            if delete == "accessGroupDelete":
                made = await do(olga, "accessGroupCreate", "accessGroup { id }", name=delete, **doomed)
                doomed = {"group": made["accessGroup"]["id"]}
            await do(olga, delete, **doomed)

    async def write_again(self, account: str) -> None:
        """What an account was told could not be sent."""
        asked = "query($account: ID!) { notices(filter: {account: $account}) { nodes { id } } }"
        told = (await self.olga.ask(asked, account=account))["notices"]["nodes"]
        async with self.portal.writing() as connection:
            await connection.fetch_text("update notices set state = 'FAILED', next_try_at = null")
        await do(self.olga, "noticeRetry", notice=told[0]["id"])

    async def activate(self, user_name: str, code: str) -> None:
        self.secrets |= {code, code.replace("-", "")}
        given = {"userName": user_name, "code": code, "password": NEXT_PASSWORD}
        self.client((await do(self.at(self.portal), "accountActivate", "token", **given))["token"])

    async def run_the_company(self) -> None:
        olga = self.olga
        text = "{ portal { slug } }"
        manifest = json.dumps({hash_of(text): text})
        listed = await do(olga, "trustedDocumentsUpload", "documents { id }", manifest=manifest)
        await do(olga, "trustedDocumentsRemove", documents=[each["id"] for each in listed["documents"]])
        await do(olga, "portalUpdate", name="Renamed", letterhead={"address": ["Renamed Ltd"]})
        await do(olga, "portalLogoUpdate", image=base64.b64encode(png()).decode())
        slug = f"{self.portal.slug}-sister"
        new = {"slug": slug, "name": "Sister", "currency": "EUR", "language": "GERMAN"}
        await do(olga, "portalCreate", **new, supportEmail="help@sister.example")
        answer = await do(
            olga,
            "staffMemberProvision",
            "staffMember { id } activationCode",
            userName="sam",
            name="Sam",
            email="sam@staff.example",
            roles=[{"role": "AGENT"}],
        )
        member = {"staffMember": answer["staffMember"]["id"]}
        await self.activate("sam", answer["activationCode"])
        await do(olga, "staffMemberUpdate", **member, name="Samuel")
        reset = await do(olga, "staffMemberResetAccess", "activationCode", **member)
        self.secrets.add(reset["activationCode"])
        await do(olga, "staffMemberDeactivate", **member)
        await self.sign_in("bea")
        for each in (await self.bea.ask("{ sessions { id current } }"))["sessions"]:
            if not each["current"]:
                await do(self.bea, "sessionRevoke", session=each["id"])
        await do(self.bea, "passwordChange", oldPassword=PASSWORD, newPassword=NEXT_PASSWORD)


async def test_every_mutation_of_the_schema_is_written_down_with_its_name_and_request(
    portal: Portal, at: At
) -> None:
    story = Story(portal, at)
    await story.tell()
    actions = defaultdict(set)
    for entry in await log(story.olga):
        actions[entry["requestId"]].add(entry["action"])
        assert (entry["account"] is None) is (entry["staffMember"] is not None)
    assert actions == {name: {name} for name in root("mutation").fields}


async def test_no_secret_is_ever_written_down(portal: Portal, at: At) -> None:
    story = Story(portal, at)
    await story.tell()
    texts = [f"{before} {after}" for _, _, before, after, *_ in await kept(portal)]
    async with portal.writing() as connection:
        hashes = await connection.fetch_text(
            """select password_hash from accounts union select password_hash from staff_members
            where supplier_id = $1""",
            portal.supplier_id,
        )
    secrets = story.secrets | {row[0] for row in hashes if row[0]}
    assert len(secrets) > 10
    for secret in secrets:
        assert [text for text in texts if secret in text] == []
    for word in ("hash", "token", "password", "argon2"):
        assert [text for text in texts if word in text] == []


FAILING: list[tuple[str, str, dict[str, Any]]] = [
    ("nobody", "signIn", {"userName": "bea", "password": "wrong horse battery"}),
    ("nobody", "signOut", {}),
    ("nobody", "portalUpdate", {"name": "Mine"}),
    ("bea", "portalUpdate", {"name": "Mine"}),
    ("bea", "passwordChange", {"oldPassword": "wrong horse battery", "newPassword": NEXT_PASSWORD}),
    (
        "bea",
        "cartAddItems",
        {"items": [{"sku": "A", "quantity": "1"}, {"sku": "NONE", "quantity": "1"}]},
    ),
    ("bea", "cartUpdateItem", {"item": "x"}),
    ("bea", "cartRemoveItem", {"item": "x"}),
    ("bea", "cartClear", {"version": 9}),
    ("bea", "orderPlace", {}),
    ("bea", "orderCancel", {"order": "x", "reason": "A mistake"}),
    ("olga", "orderUpdate", {"order": "x"}),
    ("olga", "orderShip", {"order": "x"}),
    ("olga", "noticeRetry", {"notice": "x"}),
    ("olga", "orderClose", {"order": "x"}),
    ("olga", "lifecycleStatusUpdate", {"lifecycleStatus": "x"}),
    ("bea", "cartFill", {"from": {"quotation": "x"}}),
    ("bea", "cartFill", {"from": {"csv": "NONE,1"}, "version": 9}),
    ("bea", "quotationDecline", {"quotation": "x", "reason": "no"}),
    ("bea", "rmaRequestCreate", {"invoice": "x", "lines": []}),
    ("bea", "rmaRequestUpdate", {"rmaRequest": "x"}),
    ("bea", "rmaRequestDelete", {"rmaRequest": "x"}),
    ("bea", "rmaRequestSubmit", {"rmaRequest": "x"}),
    ("olga", "rmaRequestDecide", {"rmaRequest": "x"}),
    ("olga", "rmaRequestClose", {"rmaRequest": "x", "outcome": "COMPLETED"}),
    ("olga", "rmaRequestReplace", {"rmaRequest": "x"}),
    ("olga", "quotationIssue", {"quotation": "x"}),
    ("olga", "quotationUpdate", {"quotation": "x"}),
    ("olga", "quotationDelete", {"quotation": "x"}),
    ("olga", "invoiceIssue", {"order": "x"}),
    ("olga", "invoiceIssue", {"order": "x", "draft": True}),
    ("olga", "invoiceDraftUpdate", {"documentDraft": "x"}),
    ("olga", "creditNoteDraftUpdate", {"documentDraft": "x"}),
    ("olga", "documentDraftDelete", {"documentDraft": "x"}),
    ("olga", "taxInvoiceIssue", {"invoice": "x"}),
    ("olga", "creditNoteIssue", {"invoice": "x", "operation": "ADJUSTMENT"}),
    ("olga", "goodsReturnReceive", {"invoice": "x", "lines": []}),
    ("olga", "paymentRecord", {"customer": "x", "amount": "1"}),
    ("olga", "paymentAllocate", {"payment": "x", "allocations": [{"invoice": "x", "amount": "1"}]}),
    ("olga", "paymentReverse", {"payment": "x", "reason": "no"}),
    ("olga", "supplierDocumentReverse", {"document": "x", "reason": "no"}),
    ("bea", "contactChangeRequest", {}),
    ("bea", "contactChangeWithdraw", {"contactChange": "x"}),
    ("olga", "contactChangeDecide", {"contactChange": "x", "accept": True}),
    ("bea", "supportTicketOpen", {"subject": "x", "text": "x", "about": "x"}),
    ("bea", "supportTicketReply", {"ticket": "x", "text": "x"}),
    ("bea", "supportTicketClose", {"ticket": "x"}),
    ("olga", "supportTicketReopen", {"ticket": "x"}),
    ("olga", "supportTicketAssign", {"ticket": "x"}),
    ("olga", "customersUpsert", {"rows": [{"code": "N", "name": "New"}, {"code": "N2"}]}),
    ("olga", "productsUpsert", {"rows": [{"sku": "A", "name": "Other"}, {"sku": "N"}]}),
    ("olga", "portalUpdate", {"name": "Other", "version": 9}),
    ("olga", "trustedDocumentsUpload", {"manifest": '{"a": "{ portal { slug } }"}'}),
    ("olga", "trustedDocumentsRemove", {"documents": ["x"]}),
]


@pytest.mark.parametrize(("who", "mutation", "given"), FAILING)
async def test_a_mutation_that_fails_is_not_written_down(
    who: str, mutation: str, given: dict[str, Any], portal: Portal, bea: Client, olga: Client, at: At
) -> None:
    before = await kept(portal)
    people = {"nobody": at(portal), "bea": bea, "olga": olga}
    assert (await send(people[who], mutation, **given))["errors"] != []
    assert await kept(portal) == before


@pytest.mark.parametrize(
    ("who", "mutation", "given"),
    [
        ("bea", "cartAddItems", {"items": [{"sku": "A", "quantity": "1"}]}),
        ("bea", "contactChangeRequest", {"phone": "1"}),
        ("olga", "customersUpsert", {"rows": [{"code": "N", "name": "New"}]}),
        ("olga", "portalUpdate", {"name": "Other"}),
    ],
)
async def test_a_repeat_under_the_same_key_is_not_written_down_again(
    who: str, mutation: str, given: dict[str, Any], bea: Client, olga: Client
) -> None:
    for _ in range(2):
        await do(bea if who == "bea" else olga, mutation, **given, idempotencyKey="once")
    assert len(await log(olga, actions=[mutation])) == 1


async def test_an_entry_says_what_it_was_and_what_it_is(portal: Portal, olga: Client) -> None:
    await do(olga, "portalUpdate", name="Nordlicht Großhandel")
    (entry,) = await log(olga, actions=["portalUpdate"])
    assert changed(entry) == {
        "name": (portal.slug.title(), "Nordlicht Großhandel"),
        "version": (1, 2),
    }
    assert entry["node"] == {"__typename": "Portal", "id": entry["nodeId"]}
    assert entry["onBehalfOf"] is None
    found = await olga.ask(NODE, id=entry["id"])
    assert found == {"node": {"id": entry["id"], "action": "portalUpdate"}}


async def test_what_is_new_was_nothing_and_what_is_gone_is_nothing(bea: Client, olga: Client) -> None:
    await do(olga, "customersUpsert", rows=[{"code": "N", "name": "New", "contacts": [{"name": "Kim"}]}])
    made = changed((await log(olga, actions=["customersUpsert"]))[0])
    assert {before for before, _ in made.values()} == {None}
    assert (made["code"][1], made["name"][1], made["version"][1]) == ("N", "New", 1)
    assert made["contacts"][1] == [{"name": "Kim", "job_title": "", "email": "", "phone": ""}]
    session = (await bea.ask("{ sessions { id } }"))["sessions"][0]["id"]
    await do(bea, "sessionRevoke", session=session)
    (gone,) = await log(olga, actions=["sessionRevoke"])
    assert gone["changes"] != []
    assert {after for _, after in changed(gone).values()} == {None}


async def test_an_object_that_is_gone_is_still_found_by_its_id(bea: Client, olga: Client) -> None:
    await do(bea, "signOut")
    out, came_in = await log(olga, node=(await log(olga, actions=["signOut"]))[0]["nodeId"])
    assert (out["action"], came_in["action"]) == ("signOut", "signIn")
    assert (out["node"], came_in["node"]) == (None, None)
    assert out["nodeId"] == came_in["nodeId"]


async def test_an_entry_says_who_did_it_and_for_whom(bea: Client, olga: Client) -> None:
    asked = await do(bea, "contactChangeRequest", "contactChange { id }", phone="7")
    await do(olga, "contactChangeDecide", contactChange=asked["contactChange"]["id"], accept=True)
    (request,) = await log(olga, actions=["contactChangeRequest"])
    assert (request["account"], request["staffMember"]) == ({"userName": "bea"}, None)
    assert request["onBehalfOf"] == {"code": "C1"}
    decided = await log(olga, actions=["contactChangeDecide"])
    assert {each["node"]["__typename"]: "phone" in changed(each) for each in decided} == {
        "ContactChange": False,
        "Customer": True,
    }
    for each in decided:
        assert (each["account"], each["staffMember"]) == (None, {"userName": "olga"})
        assert each["onBehalfOf"] == {"code": "C1"}
    assert len({each["at"] for each in decided}) == 1


async def test_who_looks_through_an_accounts_eyes_is_the_one_who_acts(bea: Client, olga: Client) -> None:
    account = (await bea.ask("{ viewer { account { id } } }"))["viewer"]["account"]["id"]
    await do(await olga.view_as(account), "signOut")
    for action in ("accountViewAs", "signOut"):
        (entry,) = await log(olga, actions=[action])
        assert (entry["account"], entry["staffMember"]) == (None, {"userName": "olga"})
        assert entry["onBehalfOf"] == {"code": "C1"}


@pytest.mark.parametrize("sent", ["order-4711", None, "no sane id!"])
async def test_the_request_id_is_that_of_the_answer(sent: str | None, bea: Client, olga: Client) -> None:
    if sent is not None:
        bea.headers["x-request-id"] = sent
    response = await bea.post("mutation { cartClear(input: {}) { errors { code } } }")
    assert response.json()["data"]["cartClear"]["errors"] == []
    request_id = response.headers["x-request-id"]
    assert (request_id == sent) is (sent == "order-4711")
    (entry,) = await log(olga, requestId=request_id)
    assert (entry["action"], entry["requestId"]) == ("cartClear", request_id)


async def test_entries_are_found_by_who_for_whom_what_and_when(bea: Client, olga: Client) -> None:
    await do(bea, "cartAddItems", items=[{"sku": "A", "quantity": "1"}])
    await do(olga, "portalUpdate", name="Other")
    await do(olga, "customersUpsert", rows=[{"code": "C1", "phone": "1"}, {"code": "N", "name": "New"}])
    found = await olga.ask('{ viewer { staffMember { id } } customer(code: "C1") { id accounts { id } } }')
    customer, member = found["customer"]["id"], found["viewer"]["staffMember"]["id"]
    account = found["customer"]["accounts"][0]["id"]
    every = await log(olga)
    names = [each["action"] for each in every]
    assert sorted(names) == sorted(
        ["signIn", "signIn", "cartAddItems", "portalUpdate", "customersUpsert", "customersUpsert"]
    )
    assert [each["at"] for each in every] == sorted((each["at"] for each in every), reverse=True)
    moment = every[2]["at"]
    for given, wanted in (
        ({"account": account}, ["cartAddItems", "signIn"]),
        ({"staffMember": member}, ["customersUpsert", "customersUpsert", "portalUpdate", "signIn"]),
        ({"customer": customer}, ["customersUpsert", "cartAddItems", "signIn"]),
        ({"node": customer}, ["customersUpsert"]),
        ({"actions": ["portalUpdate", "cartAddItems"]}, ["portalUpdate", "cartAddItems"]),
        ({"actions": []}, []),
        ({"actions": ["PORTALUPDATE"]}, []),
        ({"requestId": "customersUpsert"}, ["customersUpsert", "customersUpsert"]),
        ({"since": moment}, names[:3]),
        ({"until": moment}, names[3:]),
        ({"since": moment, "until": moment}, []),
        ({"account": account, "actions": ["signIn"], "customer": customer, "until": moment}, ["signIn"]),
        ({"account": member}, []),
        ({"staffMember": "x"}, []),
        ({"customer": ""}, []),
        ({"node": "x"}, []),
    ):
        assert [each["action"] for each in await log(olga, **given)] == wanted, given


async def test_entries_come_page_by_page_in_either_order(olga: Client) -> None:
    for turn in range(4):
        await do(olga, "portalUpdate", name=f"Name {turn}")
    ids = [each["id"] for each in await log(olga)]
    for order, wanted in (("AT_DESC", ids), ("AT_ASC", ids[::-1])):
        walked: list[str] = []
        page: dict[str, Any] = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
        while page["pageInfo"]["hasNextPage"]:
            after = page["pageInfo"]["endCursor"]
            page = (await olga.ask(LOG, orderBy=[order], first=2, after=after))["auditLog"]
            walked += [each["id"] for each in page["nodes"]]
        assert walked == wanted


@pytest.mark.parametrize(
    "sql",
    [
        "update audit_entries set action = 'nothing'",
        "update audit_entries set after = null where action = 'signIn'",
        "delete from audit_entries",
        "truncate audit_entries",
    ],
)
async def test_the_server_itself_cannot_change_what_was_written(
    sql: str, portal: Portal, olga: Client
) -> None:
    before = await kept(portal)
    assert before != []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with portal.writing() as connection:
            await connection.fetch_text(sql)
    assert await kept(portal) == before


async def faulty(client: Client, portal: Portal) -> None:
    """Renaming the portal has to fail as a fault of ours, and to leave all as it was."""
    before = await kept(portal)
    document = 'mutation { portalUpdate(input: {name: "Renamed"}) { portal { name } errors { code } } }'
    assert (await client.refusal(document))["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert (await client.ask("{ portal { name version } }"))["portal"] == {
        "name": portal.slug.title(),
        "version": 1,
    }
    assert await kept(portal) == before


async def test_a_mutation_that_does_not_say_what_it_did_is_undone(
    portal: Portal, olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "record", lambda *_given, **_more: None)
    await faulty(olga, portal)


async def test_a_mutation_that_cannot_be_written_down_is_undone(
    portal: Portal, olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(db.audit, "add", failing)
    await faulty(olga, portal)


async def test_an_import_is_written_down(
    portal: Portal, olga: Client, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "customers.csv").write_text(
        "code,name,country,currency,price_list,email\nC1,Imported,,GBP,,\n"
    )
    assert await import_folder(settings, tmp_path, portal.slug, tmp_path, Console(quiet=True)) == 0
    assert await olga.ask('{ customer(code: "C1") { name version } }') == {
        "customer": {"name": "Imported", "version": 2}
    }
    (entry,) = await log(olga, actions=["import"])
    assert (entry["account"], entry["staffMember"], entry["onBehalfOf"]) == (None, None, None)
    assert entry["node"]["__typename"] == "Portal"
    assert changed(entry) == {"customers": (None, {"new": 0, "changed": 1, "removed": 0})}
    assert await import_folder(settings, tmp_path, portal.slug, tmp_path, Console(quiet=True)) == 0
    assert len(await log(olga, actions=["import"])) == 1
