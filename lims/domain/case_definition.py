"""When a person is an F0: definitions with the day they come into force, none ever edited.

A case is judged once for each piece of evidence, by the definition in force on the day of that
evidence, and keeps its name: a definition that changes today does not change yesterday's cases
(S20). The definitions themselves are rows (work/case_definitions.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lims.domain.outcomes import Basis
from lims.domain.rapid_test import Exposure


@dataclass(frozen=True, slots=True)
class CaseDefinition:
    """One version. ``grounds`` are the bases that confirm; any other positive is presumptive.

    ``source``: the decision it is from. ``second_within`` is counted from the reading of the first
    positive strip to that of the second.
    """

    name: str
    valid_from: datetime
    source: str
    grounds: frozenset[Basis]
    second_within: timedelta


@dataclass(frozen=True, slots=True)
class PositiveStrip:
    """A positive rapid test with what the desk was told about the person."""

    read_at: datetime
    exposure: Exposure = Exposure.NONE
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """The basis on which the newest strip makes a case, and the definition that says so."""

    basis: Basis
    definition: str

    @property
    def confirms(self) -> bool:
        """False for what waits for PCR or a second strip."""
        return self.basis is not Basis.ANTIGEN_PRESUMPTIVE


ALWAYS: Final = frozenset({Basis.PCR})
"""What confirms under every definition: a reviewer's word on a person's own PCR."""
MAY_CONFIRM: Final = (
    Basis.PCR,
    Basis.ANTIGEN_CONTACT,
    Basis.ANTIGEN_SUSPECT,
    Basis.ANTIGEN_TWICE,
)
MOST_HOURS: Final = 168  # between two strips that are to say something together


def in_force(at: datetime, definitions: Sequence[CaseDefinition]) -> CaseDefinition:
    """Of definitions in the order in which they were added, the newest that was valid then; of two
    for one day the later added; before them all, the first. There is always one."""
    by_day = sorted(definitions, key=lambda one: one.valid_from)
    valid = [one for one in by_day if one.valid_from <= at]
    return (valid or by_day[:1])[-1]


def judge(
    newest: PositiveStrip,
    earlier: Sequence[PositiveStrip],
    definitions: Sequence[CaseDefinition],
) -> Judgement:
    """On what basis the newest positive strip makes its person a case.

    A contact is confirmed by one strip, a suspect with a factor too; two strips in time want the
    factor at either of them. A contact is a factor: nobody is nearer than that.
    """
    rule = in_force(newest.read_at, definitions)
    found = [basis for basis in _grounds(newest, earlier, rule) if basis in rule.grounds]
    return Judgement(found[0] if found else Basis.ANTIGEN_PRESUMPTIVE, rule.name)


def _grounds(
    newest: PositiveStrip, earlier: Sequence[PositiveStrip], rule: CaseDefinition
) -> list[Basis]:
    found: list[Basis] = []
    near = newest.exposure is not Exposure.NONE
    if newest.exposure is Exposure.CONTACT:
        found.append(Basis.ANTIGEN_CONTACT)
    if newest.suspect and near:
        found.append(Basis.ANTIGEN_SUSPECT)
    in_time = [
        one for one in earlier if timedelta(0) < newest.read_at - one.read_at <= rule.second_within
    ]
    if in_time and (near or any(one.exposure is not Exposure.NONE for one in in_time)):
        found.append(Basis.ANTIGEN_TWICE)
    return found
