"""The cart, asked for over HTTP."""

from tests.conftest import At
from tests.world import World

CART = """{ cart { id version items { id sku name unit quantity product { sku } warehouse { code }
  unitPrice { amount currency } amount { amount } problem { code message } }
  totals { net { amount } tax { amount } total { amount currency } } } }"""
ADD = """mutation($input: CartAddItemsInput!) { cartAddItems(input: $input) {
  cart { version items { id sku quantity } } errors { code message path } } }"""


async def test_an_outsider_has_no_cart(world: World, at: At) -> None:
    portal = await world.portal()
    error = await at(portal).refusal(CART)
    assert error["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_buyer_fills_the_cart_and_sees_prices(world: World, at: At) -> None:
    portal = await world.portal()
    await portal.product("A", price="2.555")
    await portal.account("bea")
    bea = await at(portal).sign_in("bea")
    added = await bea.ask(ADD, input={"items": [{"sku": "A", "quantity": "3"}]})
    assert added["cartAddItems"]["errors"] == []
    cart = (await bea.ask(CART))["cart"]
    assert cart["version"] == 1
    assert cart["items"][0]["amount"] == {"amount": "7.67"}
    assert cart["totals"]["total"] == {"amount": "9.20", "currency": "GBP"}
