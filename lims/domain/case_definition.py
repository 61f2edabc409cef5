"""When a person is an F0: the Ministry's definitions, each a value that is never edited.

A new definition joins with the day it comes into force. A case is judged once for each piece of
evidence, by the definition in force on the day of that evidence, and keeps its name: a definition
that changes today does not change yesterday's cases (S20).

Sources: 2022/QĐ-BYT of April 2021 (a rapid test supports the molecular one and does not replace
it); 11042/BYT-DP of 29 December 2021 (four ways to be an F0).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from lims.domain.outcomes import Basis
from lims.domain.rapid_test import Exposure


@dataclass(frozen=True, slots=True)
class CaseDefinition:
    """One version. ``grounds`` are the bases that confirm; any other positive is presumptive.

    ``second_within`` is counted from the reading of the first positive strip to that of the second.
    """

    name: str
    valid_from: datetime
    source: str
    grounds: frozenset[Basis]
    second_within: timedelta = timedelta(hours=8)


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


PCR_ONLY: Final = CaseDefinition(
    name="byt-2022-2021/1",
    valid_from=datetime(2020, 1, 1, tzinfo=UTC),
    source="2022/QĐ-BYT, 28 April 2021",
    grounds=frozenset({Basis.PCR}),
)
FOUR_WAYS: Final = CaseDefinition(
    name="byt-2021-12-29/1",
    valid_from=datetime(2021, 12, 28, 17, tzinfo=UTC),  # midnight in Viet Nam
    source="11042/BYT-DP, 29 December 2021",
    grounds=frozenset(
        {Basis.PCR, Basis.ANTIGEN_CONTACT, Basis.ANTIGEN_SUSPECT, Basis.ANTIGEN_TWICE}
    ),
)
DEFINITIONS: Final[tuple[CaseDefinition, ...]] = (PCR_ONLY, FOUR_WAYS)


def in_force(at: datetime, definitions: Sequence[CaseDefinition] = DEFINITIONS) -> CaseDefinition:
    """The newest definition that was valid then; before them all, the first."""
    valid = [one for one in definitions if one.valid_from <= at]
    by_day = sorted(valid or definitions[:1], key=lambda one: one.valid_from)
    return by_day[-1]


def judge(
    newest: PositiveStrip,
    earlier: Sequence[PositiveStrip],
    definitions: Sequence[CaseDefinition] = DEFINITIONS,
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
