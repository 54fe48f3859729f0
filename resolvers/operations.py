"""Operations: each gets its connection and its transaction before the first field is resolved."""

from collections.abc import AsyncIterator

from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType


class InContext(SchemaExtension):
    """Opens the context around the execution of a valid operation, and closes it afterwards."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Called by Strawberry when parsing and validation have passed."""
        execution = self.execution_context
        mutation = execution.operation_type is OperationType.MUTATION
        async with execution.context.running(mutation=mutation):
            yield
