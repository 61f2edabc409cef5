"""The run is judged before any well is read (S11).

A negative control that amplifies means contamination: nothing of the run
counts. A positive control that is missing or late means the run may have
missed positives: its negatives do not count, and what it did detect waits for
a reviewer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lims.domain.interpretation import AssayRule, TargetReading, amplified

POSITIVE_CONTROL_LATEST_CYCLES = 35.0


class Verdict(StrEnum):
    """What a run's controls say of its wells."""

    PASSED = "passed"
    CONTAMINATED = "contaminated"
    INSENSITIVE = "insensitive"


@dataclass(frozen=True)
class Judgement:
    """The verdict and the sentence that goes on the run page."""

    verdict: Verdict
    why: str


@dataclass(frozen=True)
class ControlReading:
    """One control well as measured; ``readings`` None means it was never measured."""

    well: str
    role: str
    readings: Sequence[TargetReading] | None
    error: str | None = None


def judge(rule: AssayRule, controls: Sequence[ControlReading]) -> Judgement:
    """Judge the whole run. Contamination outweighs insensitivity."""
    negatives = [c for c in controls if c.role in {"negative_control", "extraction_control"}]
    positives = [c for c in controls if c.role == "positive_control"]
    for control in negatives:
        hits = _hits(rule, control)
        if hits:
            said = ", ".join(f"{target} {ct:.1f}" for target, ct in hits.items())
            return Judgement(
                Verdict.CONTAMINATED, f"negative control {control.well} amplified: {said}"
            )
    for control in positives:
        hits = _hits(rule, control)
        if control.error or not hits:
            return Judgement(
                Verdict.INSENSITIVE, f"positive control {control.well} {_silence(control)}"
            )
        if min(hits.values()) > POSITIVE_CONTROL_LATEST_CYCLES:
            return Judgement(
                Verdict.INSENSITIVE,
                f"positive control {control.well} late: {min(hits.values()):.1f} > "
                f"{POSITIVE_CONTROL_LATEST_CYCLES:g} cycles",
            )
    for control in negatives:
        if control.readings is None or control.error:
            return Judgement(
                Verdict.INSENSITIVE, f"negative control {control.well} {_silence(control)}"
            )
    if not positives or not negatives:
        missing = "positive" if not positives else "negative"
        return Judgement(Verdict.INSENSITIVE, f"the plate has no {missing} control")
    return Judgement(Verdict.PASSED, "negative control clean, positive control on time")


def _hits(rule: AssayRule, control: ControlReading) -> Mapping[str, float]:
    readings = control.readings or ()
    return {t: ct for t in sorted(rule.targets) if (ct := amplified(readings, t))}


def _silence(control: ControlReading) -> str:
    if control.error:
        return f"failed: {control.error}"
    return "was not measured" if control.readings is None else "did not amplify"
