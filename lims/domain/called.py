"""What an analyser itself said, in a closed vocabulary; and whose word may stand for a Ct.

Two kinds of machines. A *closed system* takes the swab in and gives a word out: its own software
checks the internal control of every specimen, which went through extraction with it, and the
controls of the run or cartridge, and sends no "not detected" that failed them. An *open cycler*
(QuantStudio, CFX96, LightCycler 480, Rotor-Gene, RDML, any profile or plate) knows neither the kit
nor what was extracted: its software's word may raise a doubt and never settles anything.

An unknown word is no word: nothing is guessed.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Called(StrEnum):
    """What a machine's word for a target, or for the whole test, means."""

    DETECTED = "detected"
    NOT_DETECTED = "not_detected"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


CLOSED_SYSTEMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "genexpert": "Cepheid 302-3562 and 302-7279: a negative needs SPC (sample processing "
        "control) and PCC (probe check) to pass; else INVALID, ERROR or NO RESULT",
        "cobas": "Roche 09179909001 (cobas SARS-CoV-2): full-process RNA internal control in every "
        "specimen, negative and positive control in every run, both validated by the software",
        "cobas4800": "Roche cobas 4800 assay inserts: internal control in every specimen; what "
        "fails it is Invalid or Failed (from memory)",
        "alinity-m": "Abbott Alinity m inserts: internal control added to every specimen; a result "
        "without it is reported as failed, with its message code (from memory)",
        "m2000": "Abbott m2000 inserts: internal control added to every specimen, the run's "
        "controls checked by its application specification (from memory)",
    }
)
"""Drivers of machines that judge by themselves, each with why. A driver not named here is open."""


def judges_by_itself(driver: str) -> bool:
    """Whether the machine behind this driver validates its own controls."""
    return driver in CLOSED_SYSTEMS


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _words(called: Called, *words: str) -> dict[str, Called]:
    return dict.fromkeys(map(_plain, words), called)


# Everywhere the same, English and Vietnamese. GeneXpert and F-line send POSITIVE/NEGATIVE and
# POS/NEG (302-7279, 6.1.1); cobas NEG/POS, Target Not Detected (tests/data/hl7); Alinity m and
# m2000 Detected, Not Detected, Target not detected (deforay captures; tests/data/astm_wire). The
# names that a profile gives in [words.calls] are read here too. PRESUMPTIVE POS: 302-3562, one
# gene of two, to be tested again; Presumptive Positive: Roche 09179909001, table of results.
_EVERYWHERE: Final = MappingProxyType(
    {
        **_words(Called.DETECTED, "POS", "Positive", "Detected", "Target Detected", "Reactive"),
        **_words(Called.DETECTED, "Dương tính", "Phát hiện", "Có phát hiện"),
        **_words(Called.NOT_DETECTED, "NEG", "Negative", "Not Detected", "Target Not Detected"),
        **_words(Called.NOT_DETECTED, "Non-Reactive", "Nonreactive", "Non Reactive"),
        **_words(Called.NOT_DETECTED, "Âm tính", "Không phát hiện"),
        **_words(Called.INCONCLUSIVE, "Presumptive Positive", "Presumptive POS", "Inconclusive"),
        **_words(Called.INCONCLUSIVE, "Indeterminate", "Equivocal", "Nghi ngờ"),
        **_words(Called.INVALID, "Invalid", "Error", "No Result", "Failed", "Fail"),
        **_words(Called.INVALID, "Không hợp lệ", "Không có kết quả", "Lỗi"),
    }
)

# The languages of the GeneXpert program's menu. The words are those of a dictionary, not of a
# document of Cepheid's; what a machine sends otherwise is no word.
_GENEXPERT: Final = MappingProxyType(
    {
        **_words(Called.DETECTED, "SARS-CoV-2 POSITIVE", "SARS-CoV-2 DETECTED"),
        **_words(Called.NOT_DETECTED, "SARS-CoV-2 NEGATIVE", "SARS-CoV-2 NOT DETECTED"),
        **_words(Called.INCONCLUSIVE, "SARS-CoV-2 PRESUMPTIVE POS"),
        **_words(Called.DETECTED, "Positif", "Détecté", "Positivo", "Detectado", "Rilevato"),
        **_words(Called.DETECTED, "Positiv", "Nachgewiesen", "Положительный", "Обнаружено"),
        **_words(Called.NOT_DETECTED, "Négatif", "Non détecté", "Negativo", "No detectado"),
        **_words(Called.NOT_DETECTED, "Não detectado", "Non rilevato", "Negativ"),
        **_words(Called.NOT_DETECTED, "Nicht nachgewiesen", "Отрицательный", "Не обнаружено"),
    }
)

# OBX-8 of a cobas: RR reactive, NR not reactive, ND not detected. NR stands beside "Target Not
# Detected" in tests/data/hl7 (cobas6800_target_not_detected); RR and ND from deforay/intelis-
# interfacing at 0217ec61. BT, of quantities only, is left out: what it says is not certain.
_COBAS: Final = MappingProxyType(
    {**_words(Called.DETECTED, "RR"), **_words(Called.NOT_DETECTED, "NR", "ND")}
)

_OWN_WORDS: Final[Mapping[str, Mapping[str, Called]]] = MappingProxyType(
    {"genexpert": _GENEXPERT, "cobas": _COBAS}
)


def called(text: str | None, driver: str = "") -> Called | None:
    """What this word of the driver's machine means, or of any machine; None for an unknown one."""
    if not text:
        return None
    word = _plain(text)
    return _EVERYWHERE.get(word) or _OWN_WORDS.get(driver, {}).get(word)


@dataclass(frozen=True, slots=True)
class OwnCall:
    """A machine's own word for the whole test, as sent and as understood.

    ``closed``: it comes from a closed system, so that its word may stand for a Ct.
    """

    word: str | None = None
    called: Called | None = None
    closed: bool = False

    @property
    def unknown(self) -> bool:
        """A word was sent that no table has."""
        return bool(self.word) and self.called is None


NO_CALL: Final = OwnCall()
"""Of a machine that says nothing but cycle numbers, and of what was stored before calls were."""


def quoted(words: Iterable[tuple[str, str | None]]) -> str:
    """Targets with their words as sent, for a sentence: ``ORF1ab POS, E POS``."""
    return ", ".join(f"{target} {(word or '')[:40]}".strip() for target, word in words)
