"""Operations: each gets its connection and its transaction before the first field is resolved."""

from collections.abc import AsyncIterator
from typing import Any

from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType


class InContext(SchemaExtension):
    """Opens the context around the execution of a valid operation, and closes it afterwards.

    Of a subscription that is only its beginning: what an event selects is read in a transaction of its own
    (resolvers/subscriptions.py), which has to end before the result is handed out. Writing to a client that reads
    slowly must not hold a connection.
    """

    async def on_execute(self) -> AsyncIterator[None]:
        """Called by Strawberry when parsing and validation have passed."""
        execution = self.execution_context
        mutation = execution.operation_type is OperationType.MUTATION
        async with execution.context.running(mutation=mutation):
            yield

    async def on_stream_result(self, result: Any) -> AsyncIterator[None]:
        """Called by Strawberry around handing out each result of a subscription."""
        await self.execution_context.context.rest()
        yield
