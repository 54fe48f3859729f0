"""Throw-away."""
import asyncio, time, json
from datetime import date
from typing import Any
import pytest, db
from db.isolation import Mode
from resolvers.nodes import global_id
from rules.permissions import StaffRole, BuiltInProfile
from rules.restrictions import Modes, RestrictionKind, RestrictionMode
from tests.conftest import At
from tests.world import World, Portal
E = "errors { code path message }"

def show(name: str, value: Any) -> None:
    with open("/tmp/probe.log", "a") as f:
        f.write(f"## {name}: {json.dumps(value, default=str)[:1500]}\n")

async def test_portal_off_during_long_write(world: World, at: At) -> None:
    p = await world.portal(supplier="sup1")
    await p.customer("C1")
    await p.staff_member("own1", role=StaffRole.OWNER)
    own = await at(p).sign_in("own1")
    async with p.writing() as c:
        await db.customers.upsert(c, [])
        await c.fetch_text("insert into categories(tenant_id,id,code,name) values($1,gen_random_uuid(),'x','x')", p.tenant_id)
        t = time.monotonic()
        r = await own.post('mutation{portalUpdate(input:{open:false}){portal{open} errors{code}}}')
        show("portalUpdate during other write", [r.status_code, r.json(), round(time.monotonic() - t, 2)])
        r = await own.post('mutation{customersUpsert(input:{rows:[{code:"N",name:"n"}]}){customers{code} errors{code}}}')
        show("customersUpsert during other write", [r.status_code, r.json()])

async def test_nul(world: World, at: At) -> None:
    p = await world.portal(supplier="sup2")
    acc = await p.account("bea2"); await p.staff_member("own2", role=StaffRole.OWNER)
    own = await at(p).sign_in("own2"); bea = await at(p).sign_in("bea2")
    N = "\\u0000"
    cust = global_id("Customer", p.customers["C1"]); a = global_id("Account", acc)
    async with p.writing() as c:
        prof = global_id("Profile", await db.profiles.built_in(c, BuiltInProfile.BUYER))
    qs = {
     "signin": f'mutation{{signIn(input:{{userName:"a{N}",password:"12345678"}}){{errors{{code}}}}}}',
     "activate": f'mutation{{accountActivate(input:{{userName:"a{N}",code:"x",password:"1234567890abc"}}){{errors{{code}}}}}}',
     "pwd": f'mutation{{passwordChange(input:{{oldPassword:"{N}{N}",newPassword:"abc{N}defghijk"}}){{errors{{code}}}}}}',
     "prov": f'mutation{{accountProvision(input:{{customer:"{cust}",userName:"q{N}",name:"n",email:"a@b.de",groups:[]}}){{errors{{code}}}}}}',
     "profile": f'mutation{{profileCreate(input:{{name:"q{N}",permissions:[]}}){{errors{{code}}}}}}',
     "group": f'mutation{{accessGroupCreate(input:{{name:"q{N}",profile:"{prof}"}}){{errors{{code}}}}}}',
     "upsert": f'mutation{{customersUpsert(input:{{policy:GOOD_ROWS,rows:[{{code:"a{N}",name:"n"}},{{code:"b",name:"n"}}]}}){{customers{{code}} errors{{code path}}}}}}',
     "upsert2": f'mutation{{customersUpsert(input:{{policy:GOOD_ROWS,rows:[{{code:"a",name:"n{N}"}},{{code:"b",name:"n"}}]}}){{customers{{code}} errors{{code path}}}}}}',
     "staff": f'mutation{{staffMemberProvision(input:{{userName:"q{N}",name:"n",email:"a@b.de",roles:[{{role:AGENT}}]}}){{errors{{code}}}}}}',
     "accounts": f'{{accounts(filter:{{search:"{N}"}}){{nodes{{id}}}}}}',
     "customers": f'{{customers(filter:{{search:"{N}",codes:["{N}"],country:"{N}"}}){{nodes{{id}}}}}}',
     "audit": f'{{auditLog(filter:{{actions:["{N}"],requestId:"{N}"}}){{nodes{{id}}}}}}',
     "audit1": '{auditLog(filter:{since:"0001-01-01T00:00:00+14:00"}){nodes{id}}}',
     "audit2": '{auditLog(filter:{until:"9999-12-31T23:59:59-14:00"}){nodes{id}}}',
     "audit3": '{auditLog(filter:{until:"9999-12-31T23:59:59Z",since:"0001-01-01T00:00:00Z"}){totalCount nodes{id}}}',
     "audit4": '{auditLog(filter:{actions:[]}){totalCount nodes{id}}}',
     "portal": f'mutation{{portalUpdate(input:{{name:"x{N}",hosts:[]}}){{errors{{code path}}}}}}',
     "pcreate": f'mutation{{portalCreate(input:{{slug:"x-1",name:"x{N}",currency:"EUR",language:DE,supportEmail:"a@b.de"}}){{errors{{code path}}}}}}',
     "key": f'mutation{{profileCreate(input:{{name:"kk",permissions:[],idempotencyKey:"{N}"}}){{errors{{code}}}}}}',
     "lang": 'mutation{portalUpdate(input:{language:null,stockPolicy:null,restrictionKinds:null,hosts:null,version:null}){errors{code path}}}',
     "emptyhost": 'mutation{portalUpdate(input:{hosts:["", " ", "."]}){errors{code path}}}',
     "restrict": f'mutation{{accessGroupCreate(input:{{name:"r1",profile:"{prof}",restrictions:[{{kind:PRODUCT,mode:DENY_EXCEPT}}],members:[{{account:"{a}",endsOn:"9999-12-31"}}]}}){{accessGroup{{id members{{endsOn}}}} errors{{code path}}}}}}',
     "restrict2": f'mutation{{accessGroupCreate(input:{{name:"r2",profile:"{prof}",members:[{{account:"{a}"}},{{account:"{a}"}}]}}){{errors{{code path}}}}}}',
     "restrict3": f'mutation{{accessGroupCreate(input:{{name:"r3",profile:"{prof}",members:[{{account:"{a}",endsOn:"0001-01-01"}}]}}){{errors{{code path}}}}}}',
     "restrict4": f'mutation{{accessGroupCreate(input:{{name:"r4",profile:"{prof}",members:null}}){{errors{{code path}}}}}}',
    }
    for name, q in qs.items():
        r = await own.post(q)
        show(name, [r.status_code, r.json()])
    for name, q in {
      "cc nul": f'mutation{{contactChangeRequest(input:{{email:"",phone:"{N}",comment:"{N}"}}){{errors{{code path}}}}}}',
      "cc empty": 'mutation{contactChangeRequest(input:{contacts:[],addresses:[]}){contactChange{state} errors{code path}}}',
      "cc mailempty": 'mutation{contactChangeRequest(input:{email:""}){contactChange{state} errors{code path}}}',
    }.items():
        r = await bea.post(q)
        show(name, [r.status_code, r.json()])

async def test_no_group(world: World, at: At) -> None:
    p = await world.portal(supplier="sup3")
    await p.account("bea3"); await p.account("nob3", profile=None)
    nob = await at(p).sign_in("nob3")
    r = await nob.post('{viewer{permissions customer{id code name email creditLimit{amount} priceList{code} contacts{name} addresses{city} accounts{userName email active activated}}}}')
    show("no group", r.json())
    cid = global_id("Customer", p.customers["C1"])
    r = await nob.post('query($id:ID!){node(id:$id){...on Customer{name email accounts{userName}}}}', {"id": cid})
    show("no group node", r.json())

async def test_many_groups(world: World, at: At) -> None:
    p = await world.portal(supplier="sup4")
    acc = await p.account("bea4", profile=None)
    for i in range(5):
        await p.product(f"S{i}")
    K = RestrictionKind; M = RestrictionMode
    await p.enforce(*K)
    for n in (10, 50):
        for i in range(n):
            await p.group(f"g{n}-{i}", acc, modes=Modes(category=M.ALLOW_EXCEPT, product=M.ALLOW_EXCEPT, warehouse=M.DENY_EXCEPT),
                lists={K.PRODUCT: [p.products["S0"]], K.WAREHOUSE: [p.warehouse_ids["W1"]]})
        bea = await at(p).sign_in("bea4")
        for k in range(3):
            t = time.monotonic()
            r = await bea.post('{products(first:5,filter:{availableOnly:true}){nodes{sku available category{name} stock{available}}}}')
            show(f"groups {n} try {k}", [round(time.monotonic() - t, 2), str(r.json())[:200]])

async def test_deadlock(world: World, at: At) -> None:
    p = await world.portal(supplier="sup5")
    await p.staff_member("own5", role=StaffRole.OWNER)
    own = await at(p).sign_in("own5")
    accs = [await p.account(f"u5{i}", profile=None) for i in range(8)]
    g = await p.group("G")
    gid = global_id("AccessGroup", g)
    t = time.monotonic()
    async def acct(a):
        return (await own.post('mutation($i:AccountUpdateInput!){accountUpdate(input:$i){errors{code path}}}', {"i": {"account": global_id("Account", a), "groups": [{"group": gid}]}})).json()
    async def grp():
        return (await own.post('mutation($i:AccessGroupUpdateInput!){accessGroupUpdate(input:$i){errors{code path}}}', {"i": {"group": gid, "members": [{"account": global_id("Account", a)} for a in accs]}})).json()
    for round_ in range(3):
        t = time.monotonic()
        rs = await asyncio.gather(*(f for a in accs[:4] for f in (acct(a), grp())))
        show("deadlock", [round(time.monotonic() - t, 2), rs])

async def test_audit_of_activation(world: World, at: At) -> None:
    p = await world.portal(supplier="sup6")
    await p.staff_member("own6", role=StaffRole.OWNER); await p.customer("C1")
    own = await at(p).sign_in("own6")
    g = await p.group("G")
    r = (await own.post('mutation($i:AccountProvisionInput!){accountProvision(input:$i){account{id} activationCode errors{code}}}', {"i": {"customer": global_id("Customer", p.customers["C1"]), "userName": "new6", "name": "n", "email": "a@b.de", "groups": [{"group": global_id("AccessGroup", g)}]}})).json()["data"]["accountProvision"]
    r2 = (await at(p).post('mutation($i:AccountActivateInput!){accountActivate(input:$i){viewer{account{version}} errors{code}}}', {"i": {"userName": "new6", "code": r["activationCode"], "password": "abcdefgh12345xyz"}})).json()
    show("activate", r2)
    r3 = (await own.post('query($n:ID!){auditLog(filter:{node:$n}){nodes{action}}}', {"n": r["account"]["id"]})).json()
    show("audit of account node", r3)
