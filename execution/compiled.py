"""The compiled executor: an operation runs from a plan; what cannot be compiled is graphql-core's."""

from typing import Any

from graphql import GraphQLError, OperationType
from graphql.execution.executor import default_field_resolver
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution import fallbacks
from execution.fallbacks import Reason
from execution.plans import Plan, Plans
from execution.runs import Run

plans = Plans()


class CompiledExecution(StrawberryGraphQLCoreExecutionContext):
    """To be given to a Strawberry schema as `execution_context_class`.

    It answers as graphql-core does, with one difference: where several errors make the same place null, it tells
    the first in the order of the document, graphql-core the first in time.

    The context may have an attribute `compiled`; without it operations are compiled. Where it is false graphql-core runs
    them, which is no fallback and is not counted.
    """

    executed = "uncompiled"  # how the operation ran: compiled, or why not

    def execute_operation(self, serially: bool | None = None) -> Any:
        """Called by graphql-core; returns an ExecutionResult or what has to be awaited for it."""
        if not getattr(self.context_value, "compiled", True):
            return super().execute_operation(serially)
        plan = self._plan()
        if isinstance(plan, Reason):
            fallbacks.fallbacks[plan] += 1
            self.executed = plan.value
            return super().execute_operation(serially)
        fallbacks.compiled += 1
        self.executed = "compiled"
        if serially is None:
            serially = self.operation.operation is OperationType.MUTATION
        return Run(self, plan).answer(serially=serially)

    def _plan(self) -> Plan | Reason:
        if self.middleware_manager is not None and self.middleware_manager.middlewares:
            return Reason.MIDDLEWARE
        if self.field_resolver is not default_field_resolver:
            return Reason.FIELD_RESOLVER
        if self.abort_signal is not None or self.hooks is not None:
            return Reason.ABORT_SIGNAL
        if not self.error_propagation:
            return Reason.ERROR_PROPAGATION
        try:
            return plans.get(self)
        except (GraphQLError, RecursionError):
            return Reason.NOT_COLLECTED
