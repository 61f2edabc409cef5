"""Autoverification: which findings the machine releases by itself, and why the others wait.

Words of CLSI AUTO10 and AUTO15: a finding that meets every criterion of the rule in force is
*autoverified*; one that does not is held, with each reason. A rule version is never edited, a new
one joins, and each finding stores the version that judged it and the reasons it was held for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from lims.domain.outcomes import FindingOutcome


class Hold(StrEnum):
    """One reason why a finding is not released by the machine."""

    POSITIVE = "positive"
    DISCORDANT = "discordant"
    INCONCLUSIVE = "inconclusive"
    IDENTITY = "identity_conflict"
    DELTA = "delta_check"
    REVISION = "replaces_final"
    WEAK = "near_cut_off"
    CONTROLS = "controls_late"
    POOL = "pool_not_resolved"
    RESWAB = "swab_again"
    ANTIGEN = "antigen_not_confirmed"


class WaitsFor(StrEnum):
    """Who or what ends the wait."""

    PERSON = "person"
    LABORATORY = "laboratory"


# What must be known before anybody can sign: another test or another swab answers it.
_THE_LABORATORY_ANSWERS = frozenset(
    {Hold.INCONCLUSIVE, Hold.DISCORDANT, Hold.POOL, Hold.RESWAB, Hold.ANTIGEN}
)

_BY_OUTCOME: Mapping[FindingOutcome, Hold | None] = MappingProxyType(
    {
        FindingOutcome.NEGATIVE: None,
        FindingOutcome.POSITIVE: Hold.POSITIVE,
        FindingOutcome.PRELIMINARY: Hold.POOL,
        FindingOutcome.PRESUMPTIVE: Hold.ANTIGEN,
        FindingOutcome.INCONCLUSIVE: Hold.INCONCLUSIVE,
        FindingOutcome.DISCORDANT: Hold.DISCORDANT,
        FindingOutcome.RECOLLECT: Hold.RESWAB,
    }
)

SIGNABLE = frozenset({FindingOutcome.POSITIVE, FindingOutcome.NEGATIVE})
"""The words that a reviewer's signature makes final; the others wait for another test or swab."""


@dataclass(frozen=True, slots=True)
class FindingFacts:
    """What a rule looks at. Days are between the two swabs, whichever came first.

    ``positive_swab_days``: to the nearest other swab of the same person whose
    finding stands positive; None without one. ``last_final``: the word on this
    swab that was final before. ``identity_holds``: an identity conflict is open
    and the site holds results for it. ``named_by_pool``: presumptive by the sub-pools of a
    positive pool.
    """

    outcome: FindingOutcome
    ct_cycles: float | None = None
    positive_swab_days: float | None = None
    last_final: FindingOutcome | None = None
    identity_holds: bool = False
    controls_late: bool = False
    named_by_pool: bool = False


@dataclass(frozen=True, slots=True)
class Verification:
    """The rule's word: released by it, or held for these reasons."""

    rule: str
    holds: tuple[Hold, ...]

    @property
    def passes(self) -> bool:
        """Every criterion is met: nobody needs to look."""
        return not self.holds

    @property
    def waits_for(self) -> WaitsFor | None:
        """A person only once the laboratory has nothing left to answer."""
        if self.passes:
            return None
        if _THE_LABORATORY_ANSWERS.intersection(self.holds):
            return WaitsFor.LABORATORY
        return WaitsFor.PERSON


@dataclass(frozen=True, slots=True)
class VerificationRule:
    """One version. Ct in cycles; a limit reached counts as inside it.

    ``negative_too_soon_days``: a negative so near to a positive swab of the same
    person may be a mix-up of tubes. ``positive_again_days``: a positive so near to
    an earlier one may be the same infection, still shedding.
    """

    assay: str
    version: int
    weak_from_cycles: float
    negative_too_soon_days: float
    positive_again_days: float
    source: str

    @property
    def name(self) -> str:
        """What a finding stores: ``assay-av/version``."""
        return f"{self.assay}-av/{self.version}"

    def judge(self, facts: FindingFacts) -> Verification:
        """Judge one finding. The reasons come in the order of ``Hold``."""
        outcome = facts.outcome
        found = {Hold.POOL if facts.named_by_pool else _BY_OUTCOME[outcome]}
        if outcome in SIGNABLE:
            found |= self._reasons(facts)
        return Verification(self.name, tuple(hold for hold in Hold if hold in found))

    def _reasons(self, facts: FindingFacts) -> set[Hold | None]:
        positive = facts.outcome is FindingOutcome.POSITIVE
        days = self.positive_again_days if positive else self.negative_too_soon_days
        near, ct = facts.positive_swab_days, facts.ct_cycles
        met = {
            Hold.IDENTITY: facts.identity_holds,
            Hold.DELTA: near is not None and near <= days,
            Hold.REVISION: self._revises(facts),
            Hold.WEAK: positive and ct is not None and ct >= self.weak_from_cycles,
            Hold.CONTROLS: facts.controls_late,
        }
        return {hold for hold, holds in met.items() if holds}

    def _revises(self, facts: FindingFacts) -> bool:
        """Another word was final: who took it back may have acted on it."""
        return facts.last_final in SIGNABLE and facts.last_final is not facts.outcome


RULES: tuple[VerificationRule, ...] = (
    VerificationRule(
        assay="sars-cov-2",
        version=1,
        weak_from_cycles=35.0,
        negative_too_soon_days=5.0,
        positive_again_days=90.0,
        source="CLSI AUTO10-A and AUTO15 (criteria, delta check); weak within 3 cycles of the "
        "cut-off of sars-cov-2/1; 90 days: CDC, reinfection, October 2021",
    ),
)


def verification_rule_in_force() -> VerificationRule:
    """The newest version."""
    return max(RULES, key=lambda rule: rule.version)


def verification_rule_named(name: str) -> VerificationRule | None:
    """The version that a finding stores, to be shown beside it."""
    return next((rule for rule in RULES if rule.name == name), None)
