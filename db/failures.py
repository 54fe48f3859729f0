"""Failures: what the driver's errors are to whoever asks the database, and no SQL."""

import asyncpg


class Unavailable(Exception):
    """The database cannot be reached, has no room, is older than this program, or no connection became free in time."""


class Crowded(Unavailable):
    """Too many requests of the same tenant wait for a connection already."""


class TooSlow(Exception):
    """A statement ran into its deadline and was ended."""


class Unstorable(Exception):
    """A value cannot be kept in the database, e.g. text with a NUL character."""


class Contended(Exception):
    """Another transaction stood in the way (deadlock, serialization, a key that it took or a row that it deleted);
    the same work may succeed again, or find out what is wrong."""


class Translated:
    """Turns the driver's errors into this floor's: what callers can act on, no SQL and nobody's values: PostgreSQL's
    details are keys and whole rows, and the driver tells what it could not send."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        if error is None:
            return
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        if isinstance(error, (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)):
            raise TooSlow(str(error)) from error
        if isinstance(error, _CONTENDED):
            raise Contended(str(error)) from error
        if isinstance(error, _NOT_STORABLE) or str(error).startswith("invalid input for query argument"):
            raise Unstorable(str(error).partition(":")[0]) from None
        if isinstance(error, (*UNREACHABLE, *_OLDER)):
            raise Unavailable(str(error) or type(error).__name__) from error


# A key that is taken, or a row that has gone, since it was looked at: the second time one sees it.
_CONTENDED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
)
_NOT_STORABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.NumericValueOutOfRangeError)
# What its migrations would have made is not there yet.
_OLDER = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # too many connections, no memory, a full disk
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a word of farewell came, and the driver still waits for the end
)
