"""Sending and sharing files, as clients do."""

from typing import Any

import httpx

from tests.client import Client

PDF = b"%PDF-1.7\n" + b"a price list\n" * 20
CREATE = """mutation($input: UploadCreateInput!) { uploadCreate(input: $input) { upload { id fileName mediaType size
  sha256 state announcedAt request { method url headers { name value } expiresAt } } errors { code path message } } }"""
UPLOAD = "query($id: ID!) { node(id: $id) { ... on Upload { id state sha256 request { url } } } }"
FILE = """id title description fileName mediaType size sha256 contentVersion sharedAt visibleFrom visibleTo unsharedAt
  version audience { kind accessGroups { name } customers { code } }
  versions { contentVersion fileName mediaType size sha256 sharedAt sharedBy { userName } download { url } }
  download { url expiresAt } actions { name allowed reason { code } }"""
SHARE = f"""mutation($input: FileShareInput!) {{ fileShare(input: $input) {{ file {{ {FILE} }}
  errors {{ code path message }} }} }}"""
UPDATE = f"""mutation($input: FileUpdateInput!) {{ fileUpdate(input: $input) {{ file {{ {FILE} }}
  errors {{ code path message }} }} }}"""
UNSHARE = f"""mutation($input: FileUnshareInput!) {{ fileUnshare(input: $input) {{ file {{ {FILE} }}
  errors {{ code path message }} }} }}"""
FILES = f"""query($filter: SharedFileFilter, $orderBy: [SharedFileOrder!]) {{ files(filter: $filter, orderBy: $orderBy) {{
  totalCount nodes {{ {FILE} }} }} }}"""
ALL = {"kind": "ALL_CUSTOMERS"}


async def announce(client: Client, content: bytes = PDF, **given: Any) -> dict[str, Any]:
    """The payload of uploadCreate for a content, a PDF unless something else is said."""
    new = {"name": "prices.pdf", "mediaType": "application/pdf", "size": len(content)} | given
    answer: dict[str, Any] = (await client.ask(CREATE, input=new))["uploadCreate"]
    return answer


async def send(http: httpx.AsyncClient, upload: dict[str, Any], content: bytes = PDF) -> httpx.Response:
    """Send an upload as it says it is to be sent."""
    request = upload["request"]
    headers = {each["name"]: each["value"] for each in request["headers"]}
    return await http.request(request["method"], request["url"], content=content, headers=headers)


async def uploaded(client: Client, content: bytes = PDF, **given: Any) -> str:
    """The id of an upload that has come."""
    answer = await announce(client, content, **given)
    assert answer["errors"] == [], answer
    response = await send(client.http, answer["upload"], content)
    assert response.status_code == 204, response.text
    upload_id: str = answer["upload"]["id"]
    return upload_id


async def share(
    client: Client, content: bytes = PDF, name: str = "prices.pdf", **given: Any
) -> dict[str, Any]:
    """A file that was shared, with all customers unless something else is said."""
    given = (
        {"upload": await uploaded(client, content, name=name)}
        | ({} if "file" in given else {"audience": ALL})
        | given
    )
    answer = (await client.ask(SHARE, input=given))["fileShare"]
    assert answer["errors"] == [], answer
    file: dict[str, Any] = answer["file"]
    return file


async def titles(client: Client, **filter: Any) -> list[str]:
    """The titles of all files that somebody sees, A first."""
    found = (await client.ask(FILES, filter=filter, orderBy=["TITLE_ASC"]))["files"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["title"] for each in found["nodes"]]
