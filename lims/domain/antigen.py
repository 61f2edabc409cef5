"""What rapid-test readers call their antigen assays and their answers.

A reader says an antigen where an analyser says a PCR target, so its words route a measurement to
the rapid tests instead of the plates. Sources: SD Biosensor's test menu and a log of an F2400
(`COVID-19 Ag`, `SARS-CoV-2 Ag`); Quidel's inserts of the Sofia SARS Antigen FIA and Flu + SARS
Antigen FIA (analyte `SARS`, of a test that is named Sofia or FIA); LOINC 94558-4 and 95209-3 as
the CDC assigned them (LIVD, laboratory advisory of 23 September 2020). Their answers
are the words of ``called``. An influenza beside it in one cassette is none of ours.
"""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from lims.domain.called import Called, called
from lims.domain.rapid_test import RapidOutcome

_VIRUS: Final = r"(SARS(-COV(-2)?)?|COVID(-19)?|2019-NCOV)"
_ANTIGEN: Final = re.compile(rf"(STANDARD [FQ] )?{_VIRUS} (AG|ANTIGEN)( FIA)?\+?")
_LOINC: Final = frozenset({"94558-4", "95209-3"})
_READER_TEST: Final = re.compile(r"\b(SOFIA|FIA|ANTIGEN|AG)\b")
_ANALYTE: Final = re.compile(_VIRUS)

_OUTCOMES: Final[Mapping[Called, RapidOutcome]] = MappingProxyType(
    {
        Called.DETECTED: RapidOutcome.POSITIVE,
        Called.NOT_DETECTED: RapidOutcome.NEGATIVE,
        Called.INVALID: RapidOutcome.INVALID,
    }
)
"""A strip knows no inconclusive: what a reader calls so is a word nobody knows."""


def is_antigen(assay: str) -> bool:
    """Whether a reader's words mean a SARS-CoV-2 antigen: the name of its assay, its LOINC code, or
    `test^analyte` of a reader that names the virus alone."""
    test, _, analyte = " ".join(assay.upper().split()).rpartition("^")
    analyte = analyte.strip()
    if analyte in _LOINC or _ANTIGEN.fullmatch(analyte):
        return True
    return bool(_READER_TEST.search(test) and _ANALYTE.fullmatch(analyte))


def outcome_said(calls: Iterable[str], error: str | None) -> RapidOutcome | None:
    """What the reader's calls mean together; None for a word nobody knows, for none, and for two
    that contradict one another. A quantity beside the call (`0.12 COI`) says nothing. A test that
    the reader could not do is invalid, whatever else it sent."""
    if error:
        return RapidOutcome.INVALID
    words = [called(call) for call in calls if call.strip() and not _is_number(call)]
    told = {_OUTCOMES.get(word) if word else None for word in words}
    return told.pop() if len(told) == 1 else None


def _is_number(call: str) -> bool:
    return call.lstrip(" <>≤≥+-")[:1].isdigit()
