"""Live operations: a subscription as what is told one after the other, whatever carries it."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from http import HTTPStatus
from uuid import UUID

import structlog
from graphql import GraphQLError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from resolvers.context import Context
from schema.root import schema
from server import answers
from server.answers import Told
from server.metrics import Metrics
from server.requests import Operation, Refused
from tenants.counts import counted
from tenants.watches import Interrupted, share

_log = structlog.get_logger("kontor.requests")


class Connections:
    """The sockets and streams that are open in this process: as many as there may be, and of each portal a share, so that
    none shuts the others out."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_tenant: Counter[UUID] = Counter()

    def __len__(self) -> int:
        return self._by_tenant.total()

    def check_room(self, tenant_id: UUID) -> None:
        """Raises Refused (503) when there is none for another of the portal."""
        if len(self) >= self._most or self._by_tenant[tenant_id] >= share(self._most):
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "The service is busy. Try again in a moment.",
                {"Retry-After": "5"},
            )

    def one(self, tenant_id: UUID) -> AbstractContextManager[None]:
        """Count one as long as the block lasts."""
        return counted(self._by_tenant, tenant_id)


async def told(
    operation: Operation,
    context: Context,
    document: Callable[[], Awaitable[str]],
    metrics: Metrics,
    *,
    over: str,
) -> AsyncGenerator[Told, None]:
    """What a subscription tells, until it ends; the last one has not run when it ends by an error. `document` gives
    its text.

    Raises Refused for what is not let in or is no subscription, and Interrupted when the client has to connect anew.
    Leaves one line in the log, at the end.
    """
    started, events, codes = time.perf_counter(), 0, list[str]()
    try:
        results = await schema.subscribe(
            await document(), operation.variables, context, operation_name=operation.operation_name
        )
        async with aclosing(results):
            async for result in results:
                _raise_what_is_no_answer(result)
                each = answers.tell(result, language=context.language, request_id=context.request_id)
                codes = each.codes
                events += each.run
                yield each
                if not each.run:
                    return
    except Refused as refused:
        codes = [refused.code]
        raise
    except Interrupted:
        codes = ["INTERRUPTED"]
        raise
    except Exception as error:  # Strawberry lets pass what goes wrong before anything runs
        located = error if isinstance(error, GraphQLError) else GraphQLError("", original_error=error)
        last = answers.tell(
            PreExecutionError(data=None, errors=[located]),
            language=context.language,
            request_id=context.request_id,
        )
        codes = last.codes
        yield last
    finally:
        metrics.ended("subscription", codes, context.statements)
        _log.info(
            "subscription",
            **answers.logged(context),
            over=over,
            events=events,
            codes=codes,
            statements=context.statements,
            ms=round((time.perf_counter() - started) * 1_000, 1),
        )


def _raise_what_is_no_answer(result: ExecutionResult) -> None:
    for error in result.errors or ():
        cause = error.original_error
        if isinstance(cause, Interrupted):
            raise cause
        if isinstance(cause, InvalidOperationTypeError):
            raise Refused(
                HTTPStatus.BAD_REQUEST,
                "OPERATION_NOT_SUPPORTED",
                "Only subscriptions run here; send queries and mutations as plain HTTP requests.",
            )
        if isinstance(cause, CannotGetOperationTypeError):
            raise Refused(
                HTTPStatus.BAD_REQUEST, "OPERATION_NOT_FOUND", "The document has no operation of this name."
            )
