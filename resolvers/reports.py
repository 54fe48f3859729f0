"""Reports: all that a signed link can lead to, by the name in the link."""

from resolvers.statement_downloads import ORDER_STATEMENT

REPORTS = {report.name: report for report in (ORDER_STATEMENT,)}
