"""Reports and files that are kept: all that a signed link can lead to, by the name in the link."""

from resolvers.files import SHARED_FILE
from resolvers.statement_downloads import ORDER_STATEMENT
from tenants.downloads import Keeping, Report

REPORTS: dict[str, Report | Keeping] = {each.name: each for each in (ORDER_STATEMENT, SHARED_FILE)}
