"""Reports: all that a signed link can lead to, by the name in the link."""

from resolvers.balance_downloads import REPORTS as BALANCE_REPORTS
from resolvers.statement_downloads import ORDER_STATEMENT

REPORTS = {report.name: report for report in (ORDER_STATEMENT, *BALANCE_REPORTS.values())}
