"""Passwords: argon2id in a bounded pool of threads, so that hashing never stops the event loop."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from rules.accounts import (
    PasswordLengthInvalid,
    PasswordTooCommon,
    SignInBusy,
    can_be_password,
    folded,
    normalized,
)

# OWASP Password Storage Cheat Sheet: argon2id, 19 MiB, two passes, one lane.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

# Two threads, because argon2 releases the GIL and one core must stay free for the loop; and a queue that
# is refused rather than grown when more people come than can be checked in a few seconds.
_THREADS = 2
_WAITING = 200

# The 30,000 passwords that are found most often in what was stolen elsewhere, in lower case.
_COMMON = frozenset(FREQUENCY_LISTS["passwords"])

Result = TypeVar("Result")


def check_new(password: str, user_name: str, *path: str) -> None:
    """Refuse what nobody should have as a password; what it is made of is not asked (NIST SP 800-63B).

    Raises PasswordLengthInvalid or PasswordTooCommon.
    """
    if not can_be_password(password):
        raise PasswordLengthInvalid(path=path)
    if normalized(password).casefold() in _COMMON or folded(password) == folded(user_name):
        raise PasswordTooCommon(path=path)


class Passwords:
    """Hashes and verifies passwords off the event loop."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="argon2")
        self._places = asyncio.Semaphore(_WAITING)
        # Verified when there is nothing to verify, so that an unknown user takes as long as a wrong password.
        self._decoy = _hasher.hash(secrets.token_urlsafe(16))

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The argon2id hash of a password, in PHC string format. Raises SignInBusy."""
        return await self._off_loop(_hasher.hash, normalized(password))

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password belongs to the hash. None takes as long, and never matches.

        Raises SignInBusy when too many are waiting already.
        """
        if not can_be_password(password):
            password, password_hash = "-" * 8, None
        verified = await self._off_loop(_verify, password_hash or self._decoy, normalized(password))
        return verified and password_hash is not None

    async def _off_loop(self, work: Callable[..., Result], *given: str) -> Result:
        if self._places.locked():
            raise SignInBusy
        async with self._places:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *given)


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False
