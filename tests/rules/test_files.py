"""Shared files: for whom, when, and what can be done with them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.broken import BrokenRule
from rules.files import (
    FileAct,
    FileAudience,
    FileAudienceMissing,
    FileAudienceUnfit,
    FilePeriodInvalid,
    FileUnshared,
    check_act,
    check_audience,
    check_period,
    refusal,
)

DAYS = st.dates() | st.none()


@pytest.mark.parametrize("act", FileAct)
def test_what_is_shared_no_longer_can_only_be_shared_again(act: FileAct) -> None:
    check_act(True, act)
    if act is FileAct.SHARE:
        check_act(False, act)
    else:
        assert isinstance(refusal(False, act), FileUnshared)
        with pytest.raises(FileUnshared):
            check_act(False, act)


@given(first=DAYS, last=DAYS)
def test_the_last_day_is_not_before_the_first(first: date | None, last: date | None) -> None:
    if first is None or last is None or first <= last:
        check_period(first, last)
    else:
        with pytest.raises(FilePeriodInvalid):
            check_period(first, last)


@pytest.mark.parametrize(
    ("kind", "groups", "customers", "broken"),
    [
        (FileAudience.ALL_CUSTOMERS, None, None, None),
        (FileAudience.ALL_CUSTOMERS, [], [], None),
        (FileAudience.ALL_CUSTOMERS, ["g"], None, FileAudienceUnfit),
        (FileAudience.ALL_CUSTOMERS, None, ["c"], FileAudienceUnfit),
        (FileAudience.ACCESS_GROUPS, ["g"], None, None),
        (FileAudience.ACCESS_GROUPS, ["g"], ["c"], FileAudienceUnfit),
        (FileAudience.ACCESS_GROUPS, None, None, FileAudienceMissing),
        (FileAudience.ACCESS_GROUPS, [], None, FileAudienceMissing),
        (FileAudience.CUSTOMERS, None, ["c"], None),
        (FileAudience.CUSTOMERS, ["g"], None, FileAudienceUnfit),
        (FileAudience.CUSTOMERS, None, [], FileAudienceMissing),
    ],
)
def test_an_audience_is_everybody_or_somebody_and_never_nobody(
    kind: FileAudience, groups: list[str] | None, customers: list[str] | None, broken: type[BrokenRule] | None
) -> None:
    if broken is None:
        check_audience(kind, groups, customers)
    else:
        with pytest.raises(broken):
            check_audience(kind, groups, customers)
