"""Throttles: how many wrong passwords and codes are looked at, as token buckets.

A try takes a token from each bucket and a right one puts them back, so only wrong ones cost. Whoever is
known at an address is not held up by what others try elsewhere under the same name: so nobody can lock the
owner of an account out by guessing.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many tries at once, and another one after every so many seconds."""

    capacity: int
    refill_seconds: int


# One name from one address; one address for all names; one name from all addresses where it is not known.
NAME_AT_ADDRESS = Bucket(capacity=10, refill_seconds=30)
ADDRESS = Bucket(capacity=100, refill_seconds=3)
NAME = Bucket(capacity=50, refill_seconds=10)

# How long an address counts as known after a right password.
KNOWN_DAYS = 90
