"""Messages: what is wrong with variables is told in the spelling of JSON."""

import pytest

from tests.client import Client
from tests.conftest import At
from tests.world import World

FILL = "mutation($input: CartFillInput!) { cartFill(input: $input) { errors { code } } }"


@pytest.fixture
async def client(world: World, at: At) -> Client:
    return at(await world.portal())


async def test_null_is_null(client: Client) -> None:
    message = (await client.refusal("query($id: ID!) { node(id: $id) { id } }", id=None))["message"]
    assert "None" not in message
    assert message.endswith("not to be null.")


async def test_values_are_told_as_they_were_sent(client: Client) -> None:
    given = {"from": {"csv": "A's"}, "replaced": True, "version": None}
    message = (await client.refusal(FILL, input=given))["message"]
    assert message.endswith('ound: {"from": {"csv": "A\'s"}, "replaced": true, "version": null}.')
