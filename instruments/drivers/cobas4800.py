"""Roche cobas 4800: OUL^R22 over MLLP, HL7 v2.5.1, one message a run with every specimen of it.

From captures of three laboratories, not from Roche's host interface manual, which is not public:
deforay/intelis-interfacing at 0217ec61; tests/data/hl7/SOURCES.md.

    SPM|2|<id>&ROCHE||""|||||||Q^^HL70369       every SPM says Q, those of patients too
    SAC|||<id>
    INV|HPosCtrl^^99ROC|OK^^HL70383|CO^^HL70384      only a control's: what it is
    OBR||""||<assay>^<assay>^99ROC||<ordered>
    OBX|1|DR|RunTimeRange^…|1.0|<start>^<end>…
    OBX|2|ST|<assay>^<assay>^99ROC|1.1|Target Not Detected|||Full^^99ROC|||F…
    NTE|1||F;R3223,X2                           flags
    NTE|2||Ct:0 (MMx 1),26.71                   cycle numbers by channel and master mix; N/A: none

- The result is OBX-5 as printed; `Invalid` and `Failed` are errors, whatever OBX-11 says, with the
  flags of NTE 1. OBX-11 P is not a draft: such results were never sent again as F.
- Which channel is the target's is not told, and numbers come with `Target Not Detected` too. So a
  cycle number becomes the target's only where the result says that the target was found and there
  is only one; otherwise it is a flag.
- A control that failed may have no id at all. Its result is passed with an empty specimen, for the
  LIMS to hold as unmatched: nothing is inferred.
"""

import re

from instruments.drivers.observations import (
    NOT_DONE,
    control_role,
    refuse_others,
    reported,
    specimen_id,
    status_flags,
)
from instruments.drivers.reading import LONGEST_ERROR, Format, Unreadable, cycles
from instruments.hl7.message import Message, Segment
from instruments.hl7.results import Observation, Request, Specimen, hl7_time
from instruments.measurement import Measurement, Role, TargetReading

FAILED = frozenset({"invalid", "failed"})
NOT_FOUND = frozenset({"target not detected", "not detected", "valid"})  # the last: of a control
_CT = re.compile(r"Ct:(\d+) \(([^)]*)\),([^,;]*)")
_NO_NUMBER = frozenset({"", "N/A", "NA", "-"})


class Cobas4800:
    """The driver of the captures above."""

    name = "cobas4800"
    version = "1"
    format = Format.HL7

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: host-query, message-type, another-instrument, sequence-gap,
        no-results, specimen-mismatch, unknown-control, two-results, cycle-number."""
        found = reported(message, "OUL^R22")
        refuse_others(message, "4800")
        measured = tuple(
            _measured(specimen, request) for specimen in found for request in specimen.requests
        )
        if not measured:
            raise Unreadable("no-results", "no specimen has a result")
        return measured


def _measured(specimen: Specimen, request: Request) -> Measurement:
    path = request.path
    results = [each for each in request.observations if each.obx.text(2) != "DR"]
    if len(results) != 1:
        reason = "two-results" if results else "no-results"
        raise Unreadable(reason, f"{path}: {len(results)} results, where one is expected")
    (result,) = results
    said = result.obx.text(5)
    ct, flags = _ct(result, path, found=_found(said))
    target = TargetReading(result.obx.value(3), ct, said or None)
    undone = said.casefold() in FAILED or result.obx.value(11) in NOT_DONE
    notes = _note_flags(result)
    return Measurement(
        path=path,
        specimen=specimen_id(specimen),
        role=_role(specimen, path),
        assay=request.obr.value(4),
        targets=() if undone else (target,),
        call=said or None,
        measured_at=_ended(request) or hl7_time(result.obx.text(19)),
        error=" ".join([said or "not done", *notes])[:LONGEST_ERROR] if undone else None,
        flags=(*status_flags(results), *notes, *flags),
    )


def _role(specimen: Specimen, path: str) -> Role:
    controls = [inv.value(1) for inv in specimen.named("INV") if inv.value(3) == "CO"]
    return control_role(controls, path) if controls else Role.SPECIMEN


def _found(said: str) -> bool:
    """Whether the result says that the target was there."""
    word = said.casefold()
    return bool(word) and word not in FAILED and word not in NOT_FOUND


def _ct(result: Observation, path: str, *, found: bool) -> tuple[float | None, tuple[str, ...]]:
    """The target's cycle number, and the numbers of which that cannot be said."""
    numbers = [match for note in _notes(result, "2") for match in _CT.findall(note)]
    told = [each for each in numbers if each[2].strip().upper() not in _NO_NUMBER]
    if found and len(told) == 1:
        return cycles(told[0][2].strip(), path), ()
    return None, tuple(f"ct-{channel}-{mix}-{number}" for channel, mix, number in told)


def _note_flags(result: Observation) -> tuple[str, ...]:
    """`F;R3223,X2`: what follows the semicolon; NONE is none."""
    told = [flag for note in _notes(result, "1") for flag in note.partition(";")[2].split(",")]
    return tuple(flag for each in told if (flag := each.strip()) and flag.upper() != "NONE")


def _notes(result: Observation, number: str) -> list[str]:
    return [nte.text(3) for nte in result.details if _is_note(nte, number)]


def _is_note(segment: Segment, number: str) -> bool:
    return segment.name == "NTE" and segment.text(1) == number


def _ended(request: Request) -> str | None:
    """The end of the run."""
    ranges = [each.obx for each in request.observations if each.obx.text(2) == "DR"]
    return next((hl7_time(obx.value(5, 2)) for obx in ranges), None)
