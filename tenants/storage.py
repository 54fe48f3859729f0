"""The storage: where bytes are kept, a folder or a bucket (obstore). Every key begins with the tenant, and nothing in
it is a client's word."""

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

CHUNK_BYTES = 64 * 1024
# Written in parts of which one is in memory and one on its way. S3 takes none that are smaller.
_PART_BYTES = 5 * 1024 * 1024
_CONNECT = timedelta(seconds=5)
_READ = timedelta(seconds=20)
_RETRY = timedelta(seconds=10)


class StorageUnavailable(Exception):
    """The storage cannot be reached, read or written."""


class Signer(Protocol):
    """Makes addresses at which others may write for a while."""

    async def __call__(self, key: str, seconds: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket on S3 or what speaks like it; without an endpoint it is Amazon's, without a key the machine's role."""

    name: str
    region: str
    endpoint: str | None = None
    access_key_id: str | None = None
    secret_access_key: str | None = None


def kept_at(tenant_id: UUID, upload_id: UUID) -> str:
    """The key of an upload that was looked at and is kept."""
    return f"{tenant_id}/uploads/{upload_id}"


def sent_to(tenant_id: UUID, upload_id: UUID) -> str:
    """The key to which a sender writes itself, until it was looked at: another one, since the address that it was
    given stays good for a while."""
    return f"{tenant_id}/incoming/{upload_id}"


class Storage:
    """Keeps bytes by key. With a `signer` senders write there themselves; without one they send to this server."""

    def __init__(self, store: ObjectStore, signer: Signer | None = None) -> None:
        self._store = store
        self.signer = signer

    @classmethod
    def in_folder(cls, folder: Path) -> "Storage":
        """In a folder, which is made for its owner alone. Raises StorageUnavailable."""
        with _translated():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return cls(LocalStore(folder))

    @classmethod
    def in_memory(cls, signer: Signer | None = None) -> "Storage":
        """For as long as the process lives."""
        return cls(MemoryStore(), signer)

    @classmethod
    def in_bucket(cls, bucket: Bucket) -> "Storage":
        """In a bucket, which is not asked before it is needed."""
        given = {
            "endpoint": bucket.endpoint,
            "access_key_id": bucket.access_key_id,
            "secret_access_key": bucket.secret_access_key,
        }
        store = S3Store(
            bucket.name,
            region=bucket.region,
            config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]
            client_options={
                "allow_http": (bucket.endpoint or "").startswith("http://"),
                "connect_timeout": _CONNECT,
                "read_timeout": _READ,
                "timeout": timedelta(minutes=10),  # who reads slowly is ended by whoever sends
            },
            retry_config={"max_retries": 3, "retry_timeout": _RETRY},
        )

        async def sign(key: str, seconds: int) -> str:
            return await obstore.sign_async(store, "PUT", key, timedelta(seconds=seconds))

        return cls(store, sign)

    async def sign(self, key: str, seconds: int) -> str:
        """An address at which the bytes of a key may be put. Raises StorageUnavailable."""
        assert self.signer is not None, "there is somewhere to write to"
        with _translated():
            return await self.signer(key, seconds)

    async def write(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep bytes as they come: all of them, or nothing when `chunks` raises or this is cancelled.

        Raises StorageUnavailable.
        """
        with _translated():
            await obstore.put_async(self._store, key, chunks, chunk_size=_PART_BYTES, max_concurrency=1)

    async def read(self, key: str) -> tuple[int, AsyncGenerator[bytes]] | None:
        """How many bytes there are and the bytes, as they are asked for; None when there are none.

        Raises StorageUnavailable, and while they are read too.
        """
        with _translated():
            try:
                found = await obstore.get_async(self._store, key)
            except FileNotFoundError:
                return None

        async def chunks() -> AsyncGenerator[bytes]:
            with _translated():
                async for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
                    yield bytes(chunk)

        return found.meta["size"], chunks()

    async def remove(self, keys: Iterable[str]) -> None:
        """Throw bytes away, where they are there. Raises StorageUnavailable."""
        with _translated():
            for key in keys:
                try:
                    await obstore.delete_async(self._store, key)
                except FileNotFoundError:
                    continue


@contextmanager
def _translated() -> Iterator[None]:
    """Turns the storage's errors into one; those of whoever sends or reads pass."""
    try:
        yield
    except TimeoutError:  # also an OSError, and somebody's deadline
        raise
    except (BaseError, OSError) as error:
        raise StorageUnavailable(str(error).partition("\n")[0]) from error
