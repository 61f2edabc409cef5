"""What may stand on a result slip, and what a slip is worth when somebody checks it."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from lims.domain.outcomes import FindingOutcome
from lims.domain.refusals import Conflict, TooLarge

# What a person can be told as the laboratory's last word. Preliminary, discordant and recollect
# are states of the laboratory's own work.
SAYABLE = frozenset(
    {
        FindingOutcome.NEGATIVE,
        FindingOutcome.POSITIVE,
        FindingOutcome.PRESUMPTIVE,
        FindingOutcome.INCONCLUSIVE,
    }
)


class Worth(StrEnum):
    """The answer to whoever scans a slip."""

    VALID = "valid"
    REPLACED = "replaced"  # a newer result was released; it is on another slip
    CHECKED = "checked"  # the result was taken back, and the newer one is not released yet
    RECALLED = "recalled"  # the laboratory recalled what it rests on; there is no newer one yet
    UNKNOWN = "unknown"


class NotReleased(Conflict):
    """`came` says what is known so far and whom that waits for."""

    slug = "not-released"
    expected = "a result that was released"
    todo = "give the slip out when the result is final; nothing was printed"


class TooManySlips(TooLarge):
    slug = "too-many-slips"
    expected = "at most 5,000 slips in one PDF"
    todo = "choose fewer days, one campaign or one desk"


_WAITS_FOR: Mapping[FindingOutcome, str] = MappingProxyType(
    {
        FindingOutcome.PRELIMINARY: "a member of a positive pool, whose own test is to come",
        FindingOutcome.RECOLLECT: "a person who is to be swabbed again",
        FindingOutcome.PRESUMPTIVE: "a rapid test that waits for its PCR",
        FindingOutcome.DISCORDANT: "results that disagree, which a reviewer looks at",
        FindingOutcome.INCONCLUSIVE: "an inconclusive result, which a reviewer looks at",
        FindingOutcome.POSITIVE: "a positive that a reviewer has not released",
        FindingOutcome.NEGATIVE: "a negative that a reviewer has not released",
    }
)


def waits_for(outcome: FindingOutcome) -> str:
    """What a finding without a release is, and whom it waits for."""
    return _WAITS_FOR[outcome]
