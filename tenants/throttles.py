"""Throttles: tries that may be wrong, counted by user name and address before anything is looked at."""

import hashlib
import ipaddress
from collections.abc import Sequence

import db
from db.connections import Connection
from rules import throttles
from rules.accounts import SignInThrottled, folded
from rules.throttles import Bucket


async def take(connection: Connection, address: str, user_name: str) -> Sequence[bytes]:
    """Let a try pass. It counts once the transaction is committed; what it took can be put back. Raises
    SignInThrottled."""
    taken, wait = await db.throttles.take(connection, _buckets(address, user_name))
    if wait is not None:
        raise SignInThrottled(retry_after=max(wait, 1))
    return taken


async def put_back(connection: Connection, taken: Sequence[bytes]) -> None:
    """The try was right, so it does not count; and the name is known at the address from now on."""
    await db.throttles.put_back(connection, taken)


def _buckets(address: str, user_name: str) -> dict[bytes, Bucket]:
    """The buckets of a try; who is known under the first of them is held to that one alone."""
    name, place = folded(user_name), network(address)
    return {
        subject("name at address", name, place): throttles.NAME_AT_ADDRESS,
        subject("address", place): throttles.ADDRESS,
        subject("name", name): throttles.NAME,
    }


def subject(*parts: str) -> bytes:
    """Who or what is counted, as a hash: people type passwords where their names belong."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: a single customer of a provider has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
