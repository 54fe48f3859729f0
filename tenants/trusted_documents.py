"""Trusted documents: the text that a request names by its hash, and whether a portal runs the text that it brings."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias
from uuid import UUID

import db
from db.connections import Database
from db.entrances import Entrance
from db.isolation import Mode
from rules.permissions import Permission
from rules.portals import OperationPolicy
from rules.trusted_documents import PersistedDocumentNotFound, TrustedDocumentRequired, hash_named_by, hash_of
from tenants.memory import Memory
from tenants.sessions import recognize

# Called before the database is asked: whoever names what is nowhere pays for the looking. Raises what refuses it.
Pay: TypeAlias = Callable[[], Awaitable[None]]

# What is on a list changes rarely; what is not there is asked for every time, so that it can be used once it is.
_REMEMBERED_MOST = 5_000
_REMEMBERED_CHARACTERS = 20_000_000


class TrustedDocuments:
    """Finds documents on the lists of portals and remembers their texts for a few seconds. The documents `always` are
    run at every portal: without them nobody could come in to mend a list."""

    def __init__(self, database: Database, always: Iterable[str] = ()) -> None:
        self._database = database
        self._always = frozenset(always)
        # By tenant and hash: a list is a portal's own, though others may have the same document on theirs.
        self._known = Memory[tuple[UUID, str], str](
            _REMEMBERED_MOST, weight=len, heaviest=_REMEMBERED_CHARACTERS
        )

    async def text(self, tenant_id: UUID, document_id: str, pay: Pay) -> str:
        """The text of the document that a request names. Raises PersistedDocumentNotFound."""
        digest = hash_named_by(document_id)
        found = await self._find(tenant_id, digest, pay) if digest is not None else None
        if found is None:
            raise PersistedDocumentNotFound
        return found

    async def check(self, entrance: Entrance, text: str, token: str | None, pay: Pay) -> None:
        """Refuse a text that the portal does not run for whoever holds the token, before anything is made of it.
        Raises TrustedDocumentRequired."""
        if entrance.operation_policy == OperationPolicy.ANY_DOCUMENT or text in self._always:
            return
        found = await self._find(entrance.tenant_id, hash_of(text), pay)
        if found is None and not await self._may_run_any(entrance.tenant_id, token):
            raise TrustedDocumentRequired

    async def _find(self, tenant_id: UUID, hash: str, pay: Pay) -> str | None:
        known = self._known.recall((tenant_id, hash))
        if known is not None:
            return known
        await pay()
        async with self._database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
            found = await db.trusted_documents.text_of(connection, hash)
        if found is not None:
            self._known.keep((tenant_id, hash), found)
        return found

    async def _may_run_any(self, tenant_id: UUID, token: str | None) -> bool:
        """Whether the token is of staff that could put any document on the list, and therefore need not."""
        if token is None:
            return False
        async with self._database.transaction(Mode.SNAPSHOT, tenant_id) as connection:
            _, viewer = await recognize(connection, token)
        return viewer is not None and viewer.oversees(Permission.TRUSTED_DOCUMENTS_WRITE)
