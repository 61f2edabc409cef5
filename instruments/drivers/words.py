"""Words of files and machines that mean the same everywhere: synonyms as data.

Comparing is by `plain`: case, blanks and the Cyrillic letters that some vendors' headings carry
("Cт", with U+0442) make no difference. A driver or profile adds its own to these.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from instruments.measurement import Role

_LOOKALIKES: Final = str.maketrans("АВЕКМНОРСТУХаеорстух", "ABEKMHOPCTYXaeopctyx")


def plain(text: str) -> str:
    """How two words are compared."""
    composed = unicodedata.normalize("NFC", text.translate(_LOOKALIKES))
    return " ".join(composed.casefold().split())


def words(*each: str) -> frozenset[str]:
    return frozenset(plain(word) for word in each)


class Standard(StrEnum):
    """A well of a dilution row: it belongs to the calibration and to no one, and is left out."""

    STANDARD = "standard"


ROLE_WORDS: Final[Mapping[str, Role]] = MappingProxyType(
    {
        **dict.fromkeys(
            words(
                *("NTC", "NC", "NEG", "Negative", "Negative control", "Neg Ctrl"),
                *("Neg. control", "No template control", "No-template control", "Blank", "H2O"),
                *("NFW", "Water", "Chứng âm", "Chứng âm tính"),
            ),
            Role.NEGATIVE_CONTROL,
        ),
        **dict.fromkeys(
            words(
                *("PC", "POS", "PTC", "Positive", "Positive control", "Pos Ctrl"),
                *("Pos. control", "Chứng dương", "Chứng dương tính"),
            ),
            Role.POSITIVE_CONTROL,
        ),
        **dict.fromkeys(
            words("NEC", "NCE", "EC", "Extraction control", "Negative extraction control")
            | words("Chứng tách chiết"),
            Role.EXTRACTION_CONTROL,
        ),
    }
)
"""Names under which a control is put on a plate, whole; never a part of a name."""

TARGETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(words("ORF1ab", "ORF 1ab", "ORF1", "ORF1a/b", "ORF-1ab"), "ORF1ab"),
        **dict.fromkeys(words("RdRP", "RdRp gene", "RDRP-IP4"), "RdRP"),
        **dict.fromkeys(words("N", "N gene", "Gene N", "N-gene"), "N"),
        **dict.fromkeys(words("N1", "2019-nCoV_N1", "nCOV_N1", "CDC N1"), "N1"),
        **dict.fromkeys(words("N2", "2019-nCoV_N2", "nCOV_N2", "CDC N2"), "N2"),
        **dict.fromkeys(words("E", "E gene", "Gene E", "E-gene", "E_Sarbeco"), "E"),
        **dict.fromkeys(words("S", "S gene", "Gene S", "S-gene"), "S"),
        **dict.fromkeys(words("SARS-CoV-2", "SARSCOV2", "SARS CoV 2"), "SARS-CoV-2"),
        **dict.fromkeys(
            words("IC", "IPC", "SPC", "RP", "RNaseP", "RNase P", "Internal control", "MS2"), "IC"
        ),
    }
)
"""Gene names as kits print them, to the name that the LIMS reads; any other passes as sent."""

ASSAYS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {"sars-cov-2": frozenset({"ORF1ab", "RdRP", "N", "N1", "N2", "E", "S", "SARS-CoV-2"})}
)


class ByName(StrEnum):
    """A task that says "a control", and not of which kind: its name must."""

    CONTROL = "control"


NO_AMPLIFICATION: Final = words("Undetermined", "N/A", "NA", "NaN", "No Ct", "No Cq", "Neg", "-")
"""A driver names the ones that its machine prints; 40.0 and −1.00 are numbers and never here."""


def target_named(text: str, synonyms: Mapping[str, str] = TARGETS) -> str:
    return synonyms.get(plain(text), text)


def assay_of(targets: Iterable[str]) -> str:
    """The assay whose genes these are; where they are nobody's, their names, joined by '+'. A gene
    named "N" or "E" alone may be another assay's, but the plate's layout says which it is for."""
    named = [target for target in targets if target != "IC"]
    for assay, genes in ASSAYS.items():
        if named and genes.issuperset(named):
            return assay
    return "+".join(sorted(set(named))) or "IC"


def said(text: str, among: Iterable[str]) -> bool:
    """Is this one of these words? A number is also compared as a number: "40.00" is "40"."""
    return plain(text) in among or _as_number(text) in {_as_number(each) for each in among} - {None}


def _as_number(text: str) -> float | None:
    text = text.strip().replace("−", "-").replace(",", ".")
    return float(text) if re.fullmatch(r"[+-]?\d{1,6}(\.\d{1,9})?", text, re.ASCII) else None
