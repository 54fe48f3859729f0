"""Enums of the rules as clients see them: the same names, with a description for each value."""

from collections.abc import Callable
from enum import Enum
from typing import Any

import strawberry

from rules.attributes import AttributeKind
from rules.balances import AgeingBucket, BalanceReportKind, MovementKind, PaymentKind, PaymentState
from rules.broken import Language
from rules.carts import OriginKind
from rules.contacts import AddressKind, ContactChangeState
from rules.deliveries import DeliverySchedule, DeliveryState
from rules.documents import CreditOperation, DocumentKind, DocumentStatus
from rules.downloads import DocumentFormat, DownloadFormat
from rules.files import FileAudience
from rules.lifecycle import ProcessingState, Subject
from rules.logos import ImageType
from rules.permissions import PROFILES, STAFF_ROLES, BuiltInProfile, Permission, StaffRole
from rules.portals import CancellationPolicy, CreditPolicy, OperationPolicy
from rules.previews import PreviewField
from rules.products import ProductKind
from rules.quotations import QuotationState
from rules.restrictions import RestrictionKind, RestrictionMode
from rules.rows import RowPolicy
from rules.stock import StockPolicy
from rules.tickets import TicketSide, TicketState, TicketTarget
from rules.uploads import UploadState


def publish(kind: type[Enum], *, description: str, value: Callable[[Any], str]) -> None:
    """Make an enum usable in the schema. `value` says what each of its members means."""
    strawberry.enum(kind, description=description)
    for each in kind.__strawberry_definition__.values:  # type: ignore[attr-defined]
        each.description = value(kind[each.name])


def _words(permissions: frozenset[Permission]) -> str:
    return "May: " + ", ".join(sorted(each.value for each in permissions)) + "."


def _holders(permission: Permission) -> str:
    """The word, and who holds it: the matrix of rules/permissions.py, read by row."""
    people = [profile for profile, held in PROFILES.items() if permission in held]
    staff = [f"staff {role}" for role, held in STAFF_ROLES.items() if permission in held]
    return f"`{permission.value}`. Held by: {', '.join([*people, *staff]) or 'owners of all companies'}."


publish(Permission, description="What somebody may do. People read the words.", value=_holders)
publish(
    BuiltInProfile,
    description="The profiles that every company has.",
    value=lambda profile: _words(PROFILES[profile]),
)
publish(
    StaffRole,
    description="What a supplier's own user is at one of its companies, or at all of them.",
    value=lambda role: _words(STAFF_ROLES[role]),
)
publish(
    RestrictionKind,
    description="What an access group can restrict. A portal says which kinds are in force.",
    value={
        RestrictionKind.PRODUCT_CATEGORY: "Categories, each with all below it, and the products in them.",
        RestrictionKind.PRODUCT: "Single products.",
        RestrictionKind.WAREHOUSE: "Warehouses, and the stock in them.",
        RestrictionKind.DOCUMENT_KIND: "Kinds of supplier documents.",
    }.__getitem__,
)
publish(
    RestrictionMode,
    description="How the listed values are meant.",
    value={
        RestrictionMode.ALLOW_EXCEPT: "All is allowed except what is listed.",
        RestrictionMode.DENY_EXCEPT: "Nothing is allowed except what is listed.",
    }.__getitem__,
)
publish(
    DocumentKind,
    description="What a supplier document is.",
    value={
        DocumentKind.QUOTATION: "Goods, services and prices offered, valid until a date.",
        DocumentKind.GOODS_ISSUE: "Goods shipped for orders.",
        DocumentKind.INVOICE: "What is to be paid.",
        DocumentKind.TAX_INVOICE: "The tax authority's document to an invoice.",
        DocumentKind.GOODS_RETURN: "The proof that returned goods arrived.",
        DocumentKind.CREDIT_NOTE: "A refund, a discount or a correction.",
        DocumentKind.RECONCILIATION_STATEMENT: "All dealings in a period, with opening and closing balance.",
    }.__getitem__,
)
publish(
    DocumentStatus,
    description="Where a supplier document stands.",
    value={
        DocumentStatus.DRAFT: "A quotation that the company is still writing; its customer does not see it.",
        DocumentStatus.ISSUED: "It holds.",
        DocumentStatus.DECLINED: "A quotation that the customer does not want.",
        DocumentStatus.ORDERED: "A quotation from which the customer has ordered.",
        DocumentStatus.EXPIRED: "A quotation whose last day has gone by.",
        DocumentStatus.UNPAID: "An invoice of which nothing is paid or credited; it is not due yet.",
        DocumentStatus.PARTLY_PAID: "An invoice of which something is open; it is not due yet.",
        DocumentStatus.PAID: "An invoice of which nothing is open.",
        DocumentStatus.OVERDUE: "An invoice of which something is open, and whose day has gone by.",
        DocumentStatus.CONFIRMED: "A reconciliation statement with which the customer agrees.",
        DocumentStatus.DISPUTED: "A reconciliation statement with which the customer does not agree.",
        DocumentStatus.REVERSED: "It was taken back.",
    }.__getitem__,
)
publish(
    CreditOperation,
    description="Why a credit note gives back.",
    value={
        CreditOperation.SALES_RETURN: "Goods came back.",
        CreditOperation.DISCOUNT: "A discount was granted.",
        CreditOperation.ADJUSTMENT: "An invoice was wrong.",
    }.__getitem__,
)
publish(
    PaymentKind,
    description="Which way money went.",
    value={
        PaymentKind.PAYMENT: "From the customer.",
        PaymentKind.REFUND: "Back to the customer.",
    }.__getitem__,
)
publish(
    MovementKind,
    description="Why a balance moved.",
    value={
        MovementKind.INVOICE: "An invoice raised what is owed.",
        MovementKind.CREDIT_NOTE: "A credit note lowered it.",
        MovementKind.PAYMENT: "A payment lowered it.",
        MovementKind.REFUND: "Money that went back raised it.",
    }.__getitem__,
)
publish(
    BalanceReportKind,
    description="In which shape a balance is reported.",
    value={
        BalanceReportKind.CUSTOMER: "In all: debt by how long it is due, and prepayments. A CustomerBalance.",
        BalanceReportKind.BY_ORDER: "By order. A CustomerBalanceByOrder.",
        BalanceReportKind.RECONCILIATION: "Movement by movement, in a period. A ReconciliationReport.",
    }.__getitem__,
)
publish(
    AgeingBucket,
    description="How many days an open invoice is over its last day.",
    value={
        AgeingBucket.NOT_DUE: "It can still be paid in time.",
        AgeingBucket.DAYS_1_TO_30: "1 to 30 days.",
        AgeingBucket.DAYS_31_TO_60: "31 to 60 days.",
        AgeingBucket.DAYS_61_TO_90: "61 to 90 days.",
        AgeingBucket.OVER_90_DAYS: "More than 90 days.",
    }.__getitem__,
)
publish(
    DocumentFormat,
    description="As what kind of file a document is given.",
    value={DocumentFormat.PDF: "A page to print and to keep (PDF/A-2a)."}.__getitem__,
)
publish(
    DownloadFormat,
    description="What kind of file a download is.",
    value={
        DownloadFormat.CSV: "Rows of text with commas (RFC 4180), in UTF-8 with a byte order mark.",
        DownloadFormat.XLSX: "A workbook for spreadsheet programs, with typed numbers and dates.",
    }.__getitem__,
)
publish(
    RowPolicy,
    description="What becomes of the good rows of a call when others cannot be taken.",
    value={
        RowPolicy.ALL_OR_NOTHING: "One bad row, and nothing is written.",
        RowPolicy.GOOD_ROWS: "The good rows are written, the bad ones are told.",
    }.__getitem__,
)
publish(
    AddressKind,
    description="What an address is for.",
    value={
        AddressKind.BILLING: "Invoices go there.",
        AddressKind.SHIPPING: "Goods go there.",
    }.__getitem__,
)
publish(
    ContactChangeState,
    description="What became of a request to change contact data.",
    value={
        ContactChangeState.OPEN: "Nobody has decided yet.",
        ContactChangeState.ACCEPTED: "The company has changed what was asked for.",
        ContactChangeState.REFUSED: "The company has left everything as it was.",
        ContactChangeState.WITHDRAWN: "The customer has taken it back.",
    }.__getitem__,
)
publish(
    QuotationState,
    description="Where a quotation stands.",
    value={
        QuotationState.DRAFT: "The company is still writing it; its customer does not see it.",
        QuotationState.ISSUED: "It can be ordered from, or declined.",
        QuotationState.DECLINED: "The customer does not want it.",
        QuotationState.ORDERED: "The customer has ordered from it, all or part.",
        QuotationState.EXPIRED: "Its last day has gone by.",
    }.__getitem__,
)
publish(
    TicketState,
    description="For whom a ticket waits.",
    value={
        TicketState.OPEN: "The company has to answer.",
        TicketState.ANSWERED: "The company has answered; the customer may.",
        TicketState.CLOSED: "Nobody has to do anything. A reply by the customer opens it again.",
    }.__getitem__,
)
publish(
    TicketSide,
    description="On which side of a ticket somebody is.",
    value={
        TicketSide.CUSTOMER: "Somebody at the customer.",
        TicketSide.COMPANY: "Somebody on the company's staff.",
    }.__getitem__,
)
publish(
    TicketTarget,
    description="How a ticket stands to a time that the company has set itself.",
    value={
        TicketTarget.NONE: "The company had set itself none when the ticket was opened.",
        TicketTarget.PENDING: "It is still to be done, in time.",
        TicketTarget.MET: "It was done in time.",
        TicketTarget.MISSED: "It was done too late, or the time has passed.",
    }.__getitem__,
)
publish(
    OriginKind,
    description="How a line came into the cart.",
    value={
        OriginKind.MANUAL: "Somebody added it.",
        OriginKind.LINES: "With a list of lines.",
        OriginKind.CSV: "With CSV text.",
        OriginKind.ORDER: "As a copy of an earlier order's.",
        OriginKind.QUOTATION: "From a quotation, at its price while that holds.",
    }.__getitem__,
)
publish(
    ProductKind,
    description="What a product is.",
    value={
        ProductKind.GOODS: "Has stock and ships from a warehouse.",
        ProductKind.SERVICE: "Has no stock and ships from nowhere.",
    }.__getitem__,
)
publish(
    AttributeKind,
    description="What can be said of products by an attribute.",
    value={
        AttributeKind.TEXT: "Any text, up to 500 characters.",
        AttributeKind.NUMBER: "A number, with a unit where there is one.",
        AttributeKind.BOOLEAN: "Yes or no.",
        AttributeKind.CHOICE: "One of the choices that the company has listed.",
    }.__getitem__,
)
publish(
    StockPolicy,
    description="Whether a company sells what it does not have.",
    value={
        StockPolicy.REQUIRE_STOCK: "Only what some warehouse has is sold.",
        StockPolicy.ALLOW_BACKORDER: "What is missing is sold too, and follows later.",
    }.__getitem__,
)
publish(
    Language,
    description="The languages of texts.",
    value={Language.ENGLISH: "English.", Language.GERMAN: "German."}.__getitem__,
)
publish(
    ProcessingState,
    description="Where an order or a request stands, in the same words at every company.",
    value={
        ProcessingState.NOT_STARTED: "Received; nobody has begun to work on it.",
        ProcessingState.IN_PROGRESS: "Being worked on.",
        ProcessingState.COMPLETED: "All done.",
        ProcessingState.CANCELLED: "Called off.",
    }.__getitem__,
)
publish(
    Subject,
    description="What has a lifecycle.",
    value={
        Subject.ORDER: "An order.",
        Subject.RMA_REQUEST: "A request to return goods.",
    }.__getitem__,
)
publish(
    OperationPolicy,
    description="Which documents a portal runs.",
    value={
        OperationPolicy.ANY_DOCUMENT: "Whatever the schema allows.",
        OperationPolicy.TRUSTED_DOCUMENTS: "Those on its list, named by `documentId` or word for word, and the page's own "
        "for coming in and going; others only for staff that may write the list.",
    }.__getitem__,
)
publish(
    CancellationPolicy,
    description="Whether customers may cancel what they have ordered. The company's staff may.",
    value={
        CancellationPolicy.NOT_ALLOWED: "They have to write to the company.",
        CancellationPolicy.UNTIL_SHIPPED: "As long as nothing of an order is shipped.",
    }.__getitem__,
)
publish(
    CreditPolicy,
    description="What happens to an order that takes a customer over its credit limit.",
    value={
        CreditPolicy.WARN: "It is placed, with a warning.",
        CreditPolicy.BLOCK: "It is refused.",
    }.__getitem__,
)
publish(
    PreviewField,
    description="What can change between a preview and the order.",
    value={
        PreviewField.CART: "The cart's version.",
        PreviewField.CURRENCY: "The currency in which the customer buys.",
        PreviewField.SHIP_TO: "Where goods go, in one line.",
        PreviewField.PROMISED_ON: "The promised day.",
        PreviewField.NET: "All without tax.",
        PreviewField.TAX: "The tax on all.",
        PreviewField.TOTAL: "All with tax.",
        PreviewField.QUANTITY: "How much of the product; null where the line is not there.",
        PreviewField.UNIT_PRICE: "The price of one unit.",
        PreviewField.AMOUNT: "Quantity times unit price.",
        PreviewField.TAX_RATE: "The tax rate in percent.",
        PreviewField.WAREHOUSE: "The code of the warehouse it ships from: how the cart is split.",
        PreviewField.IN_STOCK: "Whether enough of it is available there: true or false.",
        PreviewField.ORDERABLE: "Whether it can be ordered: true or false.",
    }.__getitem__,
)
publish(
    DeliveryState,
    description="How much of what was ordered was shipped.",
    value={
        DeliveryState.NONE: "Nothing.",
        DeliveryState.PARTIAL: "Some of it; the rest follows or is cancelled.",
        DeliveryState.FULL: "All of it.",
    }.__getitem__,
)
publish(
    DeliverySchedule,
    description="How what is outstanding stands to the promised day.",
    value={
        DeliverySchedule.ON_SCHEDULE: "The day is still to come.",
        DeliverySchedule.DUE_TODAY: "It is today.",
        DeliverySchedule.OVERDUE: "It has passed.",
    }.__getitem__,
)
publish(
    PaymentState,
    description="How much of what was invoiced is paid.",
    value={
        PaymentState.UNPAID: "Nothing, or nothing was invoiced yet.",
        PaymentState.PARTLY_PAID: "Some of it.",
        PaymentState.PAID: "All of it.",
    }.__getitem__,
)
publish(
    ImageType,
    description="What kind of picture it is.",
    value={ImageType.PNG: "PNG.", ImageType.JPEG: "JPEG."}.__getitem__,
)
publish(
    FileAudience,
    description="For whom a file is.",
    value={
        FileAudience.ALL_CUSTOMERS: "All customers of the company.",
        FileAudience.ACCESS_GROUPS: "Members of access groups that let them read files.",
        FileAudience.CUSTOMERS: "The people of some customers.",
    }.__getitem__,
)
publish(
    UploadState,
    description="What has become of an upload.",
    value={
        UploadState.AWAITED: "Its bytes have not come, or were not looked at yet.",
        UploadState.ARRIVING: "Its bytes are coming.",
        UploadState.READY: "It is what was announced, and can be used.",
        UploadState.USED: "It was used.",
    }.__getitem__,
)
