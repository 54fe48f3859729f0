"""The schema: every noun's queries and mutations put together."""

from functools import cache

import strawberry

from execution.compiled import CompiledExecution
from execution.operations import Schema
from schema.access_groups import AccessGroupMutations, AccessGroupQueries
from schema.accounts import AccountMutations, AccountQueries
from schema.attributes import AttributeQueries
from schema.audit import AuditQueries
from schema.balance_reports import BalanceReportQueries
from schema.budgets import BudgetQueries
from schema.carts import CartMutations, CartQueries
from schema.catalogue import CatalogueMutations
from schema.categories import CategoryQueries
from schema.change_feed import ChangeFeedQueries
from schema.comparisons import ComparisonQueries
from schema.contact_changes import ContactChangeMutations, ContactChangeQueries
from schema.credit_notes import CreditNote, CreditNoteMutations
from schema.customer_balances import CustomerBalance, CustomerBalanceByOrder
from schema.customers import CustomerMutations, CustomerQueries
from schema.document_drafts import DocumentDraftMutations, DocumentDraftQueries
from schema.documents import DocumentMutations, DocumentQueries, DocumentSubscriptions
from schema.errors import (
    AccessGroupInUseError,
    CreditLimitExceededError,
    InsufficientStockError,
    MissingPermissionError,
    PlainUserError,
    PreviewChangedError,
    ThrottledError,
    VersionConflictError,
)
from schema.files import FileMutations, FileQueries
from schema.fulfilments import FulfilmentMutations
from schema.goods_returns import GoodsReturn, GoodsReturnMutations
from schema.invoices import InvoiceMutations
from schema.lifecycle_statuses import LifecycleStatusMutations, LifecycleStatusQueries
from schema.nodes import NodeQueries
from schema.notices import NoticeMutations, NoticeQueries
from schema.order_statements import OrderStatementQueries
from schema.orders import OrderMutations, OrderQueries, OrderSubscriptions
from schema.payments import Payment, PaymentMutations, PaymentQueries
from schema.portals import PortalMutations, PortalQueries
from schema.previews import PreviewQueries
from schema.products import ProductQueries
from schema.profiles import ProfileMutations, ProfileQueries
from schema.quotations import QuotationMutations, QuotationQueries
from schema.reconciliation_statements import ReconciliationStatement, ReconciliationStatementMutations
from schema.reconciliations import ReconciliationReport
from schema.returnable_lines import ReturnableLineQueries
from schema.rma_request_decisions import RMARequestDecisionMutations
from schema.rma_requests import RMARequestMutations, RMARequestQueries, RMARequestSubscriptions
from schema.scalars import CONFIG
from schema.sessions import SessionMutations, SessionQueries
from schema.staff_members import StaffMemberMutations
from schema.suppliers import SupplierQueries
from schema.tax_invoices import TaxInvoice, TaxInvoiceMutations
from schema.tickets import TicketMutations, TicketQueries, TicketSubscriptions
from schema.trusted_documents import TrustedDocumentMutations, TrustedDocumentQueries
from schema.uploads import UploadMutations
from schema.viewers import ViewerQueries
from schema.webhook_deliveries import WebhookDeliveryQueries
from schema.webhooks import WebhookMutations, WebhookQueries


@strawberry.type(description="What can be asked.")
class Query(
    PortalQueries,
    ViewerQueries,
    SessionQueries,
    NodeQueries,
    CategoryQueries,
    ProductQueries,
    AttributeQueries,
    ComparisonQueries,
    CartQueries,
    PreviewQueries,
    OrderQueries,
    OrderStatementQueries,
    LifecycleStatusQueries,
    QuotationQueries,
    DocumentQueries,
    RMARequestQueries,
    ReturnableLineQueries,
    PaymentQueries,
    DocumentDraftQueries,
    BalanceReportQueries,
    ContactChangeQueries,
    TicketQueries,
    FileQueries,
    CustomerQueries,
    AccountQueries,
    AccessGroupQueries,
    ProfileQueries,
    SupplierQueries,
    NoticeQueries,
    AuditQueries,
    WebhookQueries,
    WebhookDeliveryQueries,
    ChangeFeedQueries,
    TrustedDocumentQueries,
    BudgetQueries,
):
    """Every noun's queries."""


@strawberry.type(description="What can be done. The fields of one operation run one after the other.")
class Mutation(
    SessionMutations,
    CartMutations,
    OrderMutations,
    FulfilmentMutations,
    LifecycleStatusMutations,
    QuotationMutations,
    ReconciliationStatementMutations,
    InvoiceMutations,
    TaxInvoiceMutations,
    GoodsReturnMutations,
    CreditNoteMutations,
    PaymentMutations,
    DocumentMutations,
    DocumentDraftMutations,
    RMARequestDecisionMutations,
    RMARequestMutations,
    ContactChangeMutations,
    TicketMutations,
    UploadMutations,
    FileMutations,
    CustomerMutations,
    CatalogueMutations,
    AccountMutations,
    AccessGroupMutations,
    ProfileMutations,
    PortalMutations,
    StaffMemberMutations,
    WebhookMutations,
    NoticeMutations,
    TrustedDocumentMutations,
):
    """Every noun's mutations."""


@strawberry.type(
    description="What can be watched, over a WebSocket (graphql-transport-ws) or server-sent events."
)
class Subscription(OrderSubscriptions, DocumentSubscriptions, RMARequestSubscriptions, TicketSubscriptions):
    """Every noun's subscriptions."""


schema = Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[
        CreditNote,
        GoodsReturn,
        Payment,
        CustomerBalance,
        CustomerBalanceByOrder,
        ReconciliationReport,
        ReconciliationStatement,
        TaxInvoice,
        PlainUserError,
        AccessGroupInUseError,
        CreditLimitExceededError,
        InsufficientStockError,
        MissingPermissionError,
        PreviewChangedError,
        ThrottledError,
        VersionConflictError,
    ],
    execution_context_class=CompiledExecution,
    config=CONFIG,
)


@cache
def sdl() -> str:
    """The schema as text, with the directives that say what a field needs."""
    return schema.as_str() + "\n"
