"""What instruments and strips show of a truth: dilution, chance, and every error by name.

Each error that chance draws is a Deviation, kept beside the reading: at the end it is the
explanation of a person missed or falsely named, and whatever has none is a fault of ours.
The figures are design/stories.md's, our assumptions where no source is named.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from lims.domain.rapid_test import RapidOutcome

NOISE_CYCLES: Final = 0.4
HALF_DETECTED_CT, DETECTION_WIDTH = 37.0, 0.5
POOL_SPECIFICITY, SINGLE_SPECIFICITY = 0.995, 0.998
INVALID_WELL: Final = 0.005
CONTROL_FAILURE: Final = 1 / 200
# As the kit's insert reads a well: detected, then doubtful, then not detected (in cycles).
DETECTED_TO, DOUBTFUL_TO = 38.0, 40.0
# Antigen: most that carry much virus, few that carry little; half at Ct 29.5 (our assumption,
# between the published 24 to 30 of the kits in use in 2021).
ANTIGEN_BEST, ANTIGEN_HALF_CT, ANTIGEN_WIDTH = 0.97, 29.5, 1.2
ANTIGEN_SPECIFICITY, ANTIGEN_INVALID = 0.997, 0.01


class Error(StrEnum):
    """What chance did to a measurement."""

    MISSED = "missed"
    DOUBTFUL = "doubtful"
    FALSE_POSITIVE = "false positive"
    INVALID = "invalid"
    CONTROL_FAILED = "control failed"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One drawn error; ``subject`` is the tube's or plate's barcode, or an antigen swab's id."""

    subject: str
    error: Error
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One well or cartridge: a Ct for each target, None where nothing amplified."""

    targets: Mapping[str, float | None]
    deviation: Deviation | None


@dataclass(frozen=True, slots=True)
class Chemistry:
    """The names of a kit's targets, and how many decimals its instrument prints."""

    genes: tuple[str, str]
    control: str
    decimals: int


PLATE_KIT: Final = Chemistry(("N", "ORF1ab"), "IC", 2)
CARTRIDGE_KIT: Final = Chemistry(("E", "N2"), "SPC", 1)


def pooled_ct(cts: Sequence[float | None]) -> float | None:
    """The Ct of equal volumes of these swabs together; None where none carries virus.

    A Ct is −log2 of the amount but for a constant, so amounts add and are divided by all.
    """
    amounts = [2.0**-ct for ct in cts if ct is not None]
    return -math.log2(sum(amounts) / len(cts)) if amounts else None


def detection_probability(ct_cycles: float) -> float:
    """1/(1 + exp((Ct − 37)/0.5))."""
    return 1 / (1 + math.exp((ct_cycles - HALF_DETECTED_CT) / DETECTION_WIDTH))


def antigen_probability(ct_cycles: float) -> float:
    """How likely a strip shows its line at this viral load."""
    return ANTIGEN_BEST / (1 + math.exp((ct_cycles - ANTIGEN_HALF_CT) / ANTIGEN_WIDTH))


def read_tube(rng: Random, barcode: str, cts: Sequence[float | None], kit: Chemistry) -> Reading:
    """Measure a tube that holds equal volumes of these swabs."""
    if rng.random() < INVALID_WELL:
        why = "nothing amplified in this well, not even its control"
        return Reading(_targets(rng, kit, None, control=False), _of(barcode, Error.INVALID, why))
    true_ct = pooled_ct(cts)
    if true_ct is None:
        return _read_clean(rng, barcode, len(cts), kit)
    shown = round(true_ct + rng.gauss(0, NOISE_CYCLES), kit.decimals)
    probability = detection_probability(true_ct)
    where = f"Ct {true_ct:.1f}" + (f" in a pool of {len(cts)}" if len(cts) > 1 else "")
    if rng.random() >= probability or shown > DOUBTFUL_TO:
        why = f"{where}: detected {probability:.0%} of the time, not this time"
        return Reading(_targets(rng, kit, None), _of(barcode, Error.MISSED, why))
    if shown > DETECTED_TO:
        why = f"{where}: amplified at {shown:.1f}, later than {DETECTED_TO:g} cycles"
        return Reading(_targets(rng, kit, shown), _of(barcode, Error.DOUBTFUL, why))
    return Reading(_targets(rng, kit, shown), None)


def read_controls(
    rng: Random, plate: str
) -> tuple[Mapping[str, float | None], Mapping[str, float | None], Deviation | None]:
    """The plate's no-template and positive control; sometimes one of them fails the run."""
    clean = _targets(rng, PLATE_KIT, None)
    good = _targets(rng, PLATE_KIT, round(rng.gauss(25, 0.5), 2))
    if rng.random() >= CONTROL_FAILURE:
        return clean, good, None
    if rng.random() < 0.5:
        why = "the no-template control amplified: contamination"
        late = _targets(rng, PLATE_KIT, round(rng.uniform(33, 36), 2))
        return late, good, _of(plate, Error.CONTROL_FAILED, why)
    why = "the positive control did not amplify"
    return clean, _targets(rng, PLATE_KIT, None), _of(plate, Error.CONTROL_FAILED, why)


def read_strip(
    rng: Random, swab: str, ct_cycles: float | None
) -> tuple[RapidOutcome, Deviation | None]:
    """Read an antigen test of one person."""
    if rng.random() < ANTIGEN_INVALID:
        return RapidOutcome.INVALID, _of(swab, Error.INVALID, "no control line on the strip")
    if ct_cycles is None:
        if rng.random() < ANTIGEN_SPECIFICITY:
            return RapidOutcome.NEGATIVE, None
        why = "the strip showed a line without virus"
        return RapidOutcome.POSITIVE, _of(swab, Error.FALSE_POSITIVE, why)
    probability = antigen_probability(ct_cycles)
    if rng.random() < probability:
        return RapidOutcome.POSITIVE, None
    why = f"Ct {ct_cycles:.1f}: the strip shows it {probability:.0%} of the time, not this time"
    return RapidOutcome.NEGATIVE, _of(swab, Error.MISSED, why)


def _read_clean(rng: Random, barcode: str, swabs: int, kit: Chemistry) -> Reading:
    specificity = POOL_SPECIFICITY if swabs > 1 else SINGLE_SPECIFICITY
    if rng.random() < specificity:
        return Reading(_targets(rng, kit, None), None)
    shown = round(rng.uniform(34, 37.5), kit.decimals)
    why = f"amplified at {shown:.1f} cycles without virus in the tube"
    return Reading(_targets(rng, kit, shown), _of(barcode, Error.FALSE_POSITIVE, why))


def _targets(
    rng: Random, kit: Chemistry, ct: float | None, *, control: bool = True
) -> dict[str, float | None]:
    """The second gene comes a little later than the first, and is lost first."""
    first, second = kit.genes
    later = None if ct is None else round(ct + abs(rng.gauss(0, NOISE_CYCLES)), kit.decimals)
    inside = round(min(max(rng.gauss(27, 0.8), 23.0), 32.0), kit.decimals)
    return {
        first: ct,
        second: later if later is not None and later <= DOUBTFUL_TO else None,
        kit.control: inside if control else None,
    }


def _of(subject: str, error: Error, why: str) -> Deviation:
    return Deviation(subject, error, why)
