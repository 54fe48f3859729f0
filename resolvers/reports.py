"""Reports: all that a signed link can lead to, by the name in the link."""

from resolvers.document_downloads import DOCUMENT, DOCUMENTS
from resolvers.statement_downloads import ORDER_STATEMENT
from tenants.downloads import Prints, Report

_ALL: tuple[Report | Prints, ...] = (ORDER_STATEMENT, DOCUMENT, DOCUMENTS)

REPORTS = {report.name: report for report in _ALL}
