"""Reports, printed documents and files that are kept: all that a signed link can lead to, by the name in the link."""

from resolvers.attachments import ATTACHMENT
from resolvers.balance_downloads import REPORTS as BALANCE_REPORTS
from resolvers.document_downloads import DOCUMENT, DOCUMENTS
from resolvers.files import SHARED_FILE
from resolvers.statement_downloads import ORDER_STATEMENT
from tenants.downloads import Keeping, Prints, Report

_ALL: tuple[Report | Prints | Keeping, ...] = (
    ATTACHMENT,
    ORDER_STATEMENT,
    DOCUMENT,
    DOCUMENTS,
    SHARED_FILE,
    *BALANCE_REPORTS.values(),
)

REPORTS = {each.name: each for each in _ALL}
