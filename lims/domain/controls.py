"""The run is judged before any well is read (S11).

A negative control that amplifies means contamination: nothing of the run
counts. A positive control that is missing or late means the run may have
missed positives: its negatives do not count, and what it did detect waits for
a reviewer. Where a closed system sends no Ct of a control, its word says it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lims.domain.called import NO_CALL, OwnCall
from lims.domain.interpretation import AssayRule, TargetReading, amplified, listed
from lims.domain.well_reading import OWN, called_detected, called_failed

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
    own: OwnCall = NO_CALL


def judge(rule: AssayRule, controls: Sequence[ControlReading]) -> Judgement:
    """Judge the whole run. Contamination outweighs insensitivity."""
    positives = [c for c in controls if c.role == "positive_control"]
    negatives = [c for c in controls if c.role in {"negative_control", "extraction_control"}]
    faults = [found for c in (*positives, *negatives) if (found := fault(rule, c)) is not None]
    contaminated = (found for found in faults if found.verdict is Verdict.CONTAMINATED)
    worst = next(contaminated, next(iter(faults), None))
    if worst is not None:
        return worst
    if not positives or not negatives:
        missing = "positive" if not positives else "negative"
        return Judgement(Verdict.INSENSITIVE, f"the plate has no {missing} control")
    return Judgement(Verdict.PASSED, "negative control clean, positive control on time")


def fault(rule: AssayRule, control: ControlReading) -> Judgement | None:
    """What is wrong with this control, if anything is, and what that means for its run."""
    if control.role == "positive_control":
        return _positive_fault(rule, control)
    return _negative_fault(rule, control)


def _negative_fault(rule: AssayRule, control: ControlReading) -> Judgement | None:
    hits, name = _hits(rule, control), f"negative control {control.well}"
    if hits:
        return Judgement(Verdict.CONTAMINATED, f"{name} amplified: {listed(hits)}")
    if words := called_detected(rule, control.readings or (), control.own):
        return Judgement(Verdict.CONTAMINATED, f"{name}, {OWN}: {words}")
    failed = _failed(rule, control)
    if failed or control.readings is None:
        return Judgement(Verdict.INSENSITIVE, f"{name} {failed or 'was not measured'}")
    return None


def _positive_fault(rule: AssayRule, control: ControlReading) -> Judgement | None:
    hits, name = _hits(rule, control), f"positive control {control.well}"
    if failed := _failed(rule, control):
        return Judgement(Verdict.INSENSITIVE, f"{name} {failed}")
    if control.readings is None:
        return Judgement(Verdict.INSENSITIVE, f"{name} was not measured")
    if not hits:
        detected = called_detected(rule, control.readings, control.own)
        return None if detected else Judgement(Verdict.INSENSITIVE, f"{name} did not amplify")
    latest = POSITIVE_CONTROL_LATEST_CYCLES
    if min(hits.values()) > latest:
        return Judgement(
            Verdict.INSENSITIVE, f"{name} late: {min(hits.values()):.1f} > {latest:g} cycles"
        )
    return None


def _hits(rule: AssayRule, control: ControlReading) -> Mapping[str, float]:
    readings = control.readings or ()
    return {t: ct for t in sorted(rule.targets) if (ct := amplified(readings, t))}


def _failed(rule: AssayRule, control: ControlReading) -> str | None:
    if control.error:
        return f"failed: {control.error}"
    words = called_failed(rule, control.readings or (), control.own)
    return f"failed: {OWN}: {words}" if words else None
