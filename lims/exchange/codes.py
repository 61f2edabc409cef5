"""The codes that other systems know results by.

Sources: LOINC 2.78 (94500-6, 94531-1, 94558-4; cycle thresholds 94644-2, 94646-7, 96764-6), SNOMED
CT International, HL7 v3 ObservationInterpretation. A target without a code that we are sure of goes
by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lims.domain.outcomes import FindingOutcome

LOINC: Final = "http://loinc.org"
SNOMED: Final = "http://snomed.info/sct"
INTERPRETATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"


@dataclass(frozen=True, slots=True)
class Code:
    """One concept. ``v2`` is how HL7 v2 names its system (table 0396)."""

    system: str
    code: str
    display: str

    @property
    def v2(self) -> str:
        return {LOINC: "LN", SNOMED: "SCT"}.get(self.system, "L")


PCR: Final = Code(
    LOINC,
    "94500-6",
    "SARS-CoV-2 (COVID-19) RNA [Presence] in Respiratory system specimen by NAA with probe"
    " detection",
)
PANEL: Final = Code(
    LOINC,
    "94531-1",
    "SARS-CoV-2 (COVID-19) RNA panel - Respiratory system specimen by NAA with probe detection",
)
ANTIGEN: Final = Code(
    LOINC,
    "94558-4",
    "SARS-CoV-2 (COVID-19) Ag [Presence] in Respiratory system specimen by Rapid immunoassay",
)
COVID_19: Final = Code(
    SNOMED, "840539006", "Disease caused by severe acute respiratory syndrome coronavirus 2"
)
SWAB: Final = Code(SNOMED, "258500001", "Nasopharyngeal swab")
DETECTED: Final = Code(SNOMED, "260373001", "Detected")
NOT_DETECTED: Final = Code(SNOMED, "260415000", "Not detected")
INCONCLUSIVE: Final = Code(SNOMED, "419984006", "Inconclusive")

VALUES: Final[Mapping[FindingOutcome, Code | None]] = {
    FindingOutcome.NEGATIVE: NOT_DETECTED,
    FindingOutcome.POSITIVE: DETECTED,
    FindingOutcome.PRESUMPTIVE: DETECTED,
    FindingOutcome.INCONCLUSIVE: INCONCLUSIVE,
    FindingOutcome.DISCORDANT: INCONCLUSIVE,
    FindingOutcome.PRELIMINARY: None,  # somebody of the pool: nothing is known of this person
    FindingOutcome.RECOLLECT: None,
}
FLAGS: Final = {
    DETECTED: Code(INTERPRETATION, "POS", "Positive"),
    NOT_DETECTED: Code(INTERPRETATION, "NEG", "Negative"),
    INCONCLUSIVE: Code(INTERPRETATION, "IND", "Indeterminate"),
}
_RESPIRATORY: Final = (
    "[Cycle Threshold #] in Respiratory system specimen by NAA with probe detection"
)
CYCLES: Final = {
    "ORF1ab": Code(LOINC, "94644-2", f"SARS-CoV-2 (COVID-19) ORF1ab region {_RESPIRATORY}"),
    "RdRP": Code(LOINC, "94646-7", f"SARS-CoV-2 (COVID-19) RdRp gene {_RESPIRATORY}"),
    "E": Code(LOINC, "96764-6", f"SARS-CoV-2 (COVID-19) E gene {_RESPIRATORY}"),
}
