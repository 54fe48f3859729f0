"""Uploads: what somebody has announced, and what has become of it. The bytes are in the storage, not here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Interval,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    not_,
    or_,
    select,
    update,
)

from db.accounts import accounts as accounts  # the foreign key's target
from db.connections import Connection, one_each
from db.rows import names_of
from db.statements import Statement
from db.tables import one_of, refers_to, tenant_table
from rules.uploads import LEFT_HOURS, Announced, UploadState
from rules.viewers import Viewer

# On its way out: its bytes are removed before the row is, so that none are left that nothing knows of.
_GOING = "GOING"

uploads = tenant_table(
    "uploads",
    Column("id", Uuid, nullable=False),
    Column("account_id", Uuid),  # who announced it: an account or a staff member
    Column("staff_member_id", Uuid),
    Column("file_name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", Integer, nullable=False),  # in bytes
    Column("sha256", Text),  # in hexadecimal; as announced, then as it came
    Column("state", Text, nullable=False, server_default=UploadState.AWAITED),
    Column("announced_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    refers_to("accounts", "account_id", name="uploads_account_fkey"),
    one_of("state", [*UploadState, _GOING], name="uploads_state_check"),
    CheckConstraint("num_nonnulls(account_id, staff_member_id) = 1", name="uploads_whose_check"),
    CheckConstraint("size > 0", name="uploads_size_check"),
    CheckConstraint("state not in ('READY', 'USED') or sha256 is not null", name="uploads_sha256_check"),
    Index("uploads_state_idx", "tenant_id", "state", "announced_at"),
    Index("uploads_account_idx", "tenant_id", "account_id"),
)


@dataclass(slots=True)
class Upload:
    """Bytes that somebody has announced; `size` in bytes, `sha256` in hexadecimal, times UTC."""

    id: UUID
    account_id: UUID | None
    staff_member_id: UUID | None
    file_name: str
    media_type: str
    size: int
    sha256: str | None
    state: str
    announced_at: datetime

    @property
    def announced(self) -> Announced:
        """What is to come."""
        return Announced(self.file_name, self.media_type, self.size, self.sha256)


_MINE = uploads.c.tenant_id == bindparam("tenant_id")
_IDS = uploads.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))
_THIS = uploads.c.id == bindparam("the_id", type_=Uuid)
_WHO = bindparam("actor_id", type_=Uuid)
_OWN = func.coalesce(uploads.c.account_id, uploads.c.staff_member_id) == _WHO
_COLUMNS = [uploads.c[name] for name in names_of(Upload)]
_every_one = select(*_COLUMNS).where(_MINE)
_by_ids = Statement(_every_one.where(_IDS, _OWN, uploads.c.state != _GOING), Upload)
_LEFT = uploads.c.announced_at < func.now() - func.make_interval(
    literal_column("0"), literal_column("0"), literal_column("0"), literal_column("0"), LEFT_HOURS,
    type_=Interval,
)  # fmt: skip
_unused = Statement[int](
    select(func.count())
    .select_from(uploads)
    .where(_MINE, _OWN, not_(_LEFT), uploads.c.state != UploadState.USED.value, uploads.c.state != _GOING)
)


async def by_ids(connection: Connection, viewer: Viewer, ids: Sequence[UUID]) -> Mapping[UUID, Upload]:
    """The uploads among the ids that the viewer has announced: nobody sees another's."""
    return one_each(await connection.rows(_by_ids, ids=ids, actor_id=viewer.actor_id), "id")


async def unused(connection: Connection, viewer: Viewer) -> int:
    """How many uploads the viewer has announced within a day and not used."""
    found: int = await connection.value(_unused, actor_id=viewer.actor_id)
    return found


_NEW = ["id", "account_id", "staff_member_id", "file_name", "media_type", "size", "sha256"]
_add = Statement(
    insert(uploads)
    .values(tenant_id=bindparam("tenant_id"), **{name: bindparam(name) for name in _NEW})
    .returning(*_COLUMNS),
    Upload,
)
_lock = Statement(
    _every_one.where(_IDS, uploads.c.state != _GOING).order_by(uploads.c.id).with_for_update(), Upload
)
_use = Statement(
    update(uploads)
    .where(_MINE, _IDS, uploads.c.state == UploadState.READY.value)
    .values(state=UploadState.USED.value)
    .returning(*_COLUMNS),
    Upload,
)
_move = Statement(
    update(uploads)
    .where(_MINE, _THIS, uploads.c.state == bindparam("old_state", type_=Text))
    .values(
        state=bindparam("new_state", type_=Text),
        sha256=func.coalesce(bindparam("new_sha256", type_=Text), uploads.c.sha256),
    )
    .returning(*_COLUMNS),
    Upload,
)
_expire = Statement[UUID](
    update(uploads)
    .where(_MINE, or_(uploads.c.state == _GOING, and_(_LEFT, uploads.c.state != UploadState.USED.value)))
    .values(state=_GOING)
    .returning(uploads.c.id)
)
_discard = Statement[None](
    update(uploads).where(_MINE, _THIS, uploads.c.state != UploadState.USED.value).values(state=_GOING)
)
_let_go = Statement[None](
    update(uploads).where(_MINE, _IDS, uploads.c.state == UploadState.USED.value).values(state=_GOING)
)
_remove = Statement[None](delete(uploads).where(_MINE, _IDS, uploads.c.state == _GOING))


async def add(
    connection: Connection,
    *,
    id: UUID,
    account_id: UUID | None,
    staff_member_id: UUID | None,
    announced: Announced,
) -> Upload:
    """Keep what an account or a staff member announces."""
    added = await connection.row(
        _add,
        id=id,
        account_id=account_id,
        staff_member_id=staff_member_id,
        file_name=announced.name,
        media_type=announced.media_type,
        size=announced.size,
        sha256=announced.sha256,
    )
    assert added is not None
    return added


async def lock(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Upload]:
    """Uploads as they are now; nobody else uses them until this transaction ends. Whose they are, has to be asked
    first."""
    return one_each(await connection.rows(_lock, ids=ids), "id")


async def use(connection: Connection, ids: Sequence[UUID]) -> Mapping[UUID, Upload]:
    """Take locked uploads into use that are ready."""
    return one_each(await connection.rows(_use, ids=ids), "id")


async def move(
    connection: Connection, id: UUID, old: UploadState, new: UploadState, *, sha256: str | None = None
) -> Upload | None:
    """Take an upload from one state to the next; None when it is not in the one: of two who ask, one gets it."""
    return await connection.row(_move, the_id=id, old_state=old.value, new_state=new.value, new_sha256=sha256)


async def discard(connection: Connection, id: UUID) -> None:
    """Say of an upload that it is to go; from here on it is nobody's."""
    await connection.run(_discard, the_id=id)


async def let_go(connection: Connection, ids: Sequence[UUID]) -> None:
    """Say of uploads that nothing uses them any more: they are to go."""
    await connection.run(_let_go, ids=ids)


async def expire(connection: Connection) -> list[UUID]:
    """Say of all uploads that nobody has used for a day that they are to go; returns them, and all others that are to
    go."""
    return await connection.column(_expire)


async def remove(connection: Connection, ids: Sequence[UUID]) -> None:
    """Forget uploads that were to go, when their bytes have gone."""
    await connection.run(_remove, ids=ids)
