"""Roche cobas 5800, 6800 and 8800: OUL^R22 over MLLP, HL7 v2.5 and v2.5.1.

From captures of working laboratories, not from Roche's host interface manual, which is not public:
tests/data/hl7/SOURCES.md (cobas 6800 SARS-CoV-2, cobas 6800 HIV-1), deforay/intelis-interfacing at
0217ec61 (cobas 5800 through the X800 Data Manager, twenty thousand messages of a 6800). The names
of the two SARS-CoV-2 targets are those of the package insert 09179917001, from memory.

    SPM||<id>                                   5800: SPM|1|<id>&ROCHE, and SAC-3 the id again
    OBR|1|||<assay>^<assay>^99ROC
    OBX|1|ST|TGT1^TGT1^99ROC||ValueNotSet|||NEG|||F…              a target, its call in OBX-8
    OBX|2|NA|<target>^…^S_OTHER^Other Supplemental^IHELAW||36.51^^37.15…   Ct: target, –, control
    OBX|3|ST|<assay>|1/1|ValueNotSet|||NR|||F…                    the whole test as reactive or not
    OBX|4|ST|<assay>|1/2|Target Not Detected|||""|||F…            the same in words

- Calls are passed as sent: NEG, POS, NR, RR, BT, ND. A quantity that was measured stands in OBX-5
  with its unit in OBX-6, OBX-8 is then empty or VAL, and the quantity is the call.
- The third number of NA amplifies in negatives too: it is the internal control. A second number
  is of no meaning known here and is told as a flag.
- A 5800 leaves the overall observations out, and sends neither 1/1 nor Ct.
- OBX-11 X: could not be done, with flags in OBX-8 (`P02T`, at times with their text).
"""

from dataclasses import dataclass

from instruments.drivers.observations import (
    control_role,
    error_of,
    refuse_others,
    refuse_twice,
    refuse_without_specimen,
    reported,
    specimen_id,
    status_flags,
)
from instruments.drivers.reading import Format, Unreadable, cycles
from instruments.hl7.message import Message, Segment
from instruments.hl7.results import Observation, Request, Specimen, hl7_time
from instruments.measurement import Measurement, Role, TargetReading

TARGETS = {("SARS-COV-2", "TGT1"): "ORF1ab", ("SARS-COV-2", "TGT2"): "E"}
INTERNAL_CONTROL = "IC"
_UNSAID = frozenset({"", "VALUENOTSET", "NA", "VAL", '"'})  # the last: a log's `""`
_OVERALL = frozenset({"1/1", "1/2"})


class Cobas:
    """The driver of the captures above."""

    name = "cobas"
    version = "1"
    format = Format.HL7

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: host-query, message-type, another-instrument, sequence-gap,
        no-results, no-specimen, specimen-mismatch, unknown-control, target-twice, no-target,
        cycle-number."""
        found = reported(message, "OUL^R22")
        refuse_others(message, "5800", "6800", "8800", "x800")
        measured = tuple(
            _measured(specimen, request) for specimen in found for request in specimen.requests
        )
        if not measured:
            raise Unreadable("no-results", "no specimen has a result")
        return measured


@dataclass(frozen=True, slots=True)
class _Cts:
    """An NA observation: cycle numbers of a target and of the internal control beside it."""

    target: float | None
    control: float | None
    flags: tuple[str, ...]


def _measured(specimen: Specimen, request: Request) -> Measurement:
    path, observations = request.path, request.observations
    if not observations:
        raise Unreadable("no-results", f"{path} has no observation")
    name = refuse_without_specimen(specimen_id(specimen), path)
    assay = request.obr.value(4)
    overall = [each for each in observations if each.obx.text(4) in _OVERALL]
    numbers = {_code(each): _cts(each.obx, path) for each in observations if _is_ct(each)}
    targets = [each for each in observations if each not in overall and not _is_ct(each)]
    codes = [_code(each) for each in targets]
    refuse_twice(codes, path)
    if missing := set(numbers) - set(codes):
        raise Unreadable("no-target", f"{path}: a Ct of {min(missing)[:20]!r}, which has no result")
    readings = [
        TargetReading(
            TARGETS.get((assay.upper(), code), code),
            numbers[code].target if code in numbers else None,
            _call(each.obx),
        )
        for code, each in zip(codes, targets, strict=True)
    ]
    controls = [cts.control for cts in numbers.values() if cts.control is not None]
    if controls:
        readings.append(TargetReading(INTERNAL_CONTROL, min(controls)))
    return Measurement(
        path=path,
        specimen=name,
        role=_role(specimen, name, path),
        assay=assay,
        targets=tuple(readings),
        call=next((call for each in reversed(overall) if (call := _call(each.obx))), None),
        measured_at=next((at for o in observations if (at := hl7_time(o.obx.text(19)))), None),
        error=error_of(observations),
        flags=(*status_flags(observations), *(f for cts in numbers.values() for f in cts.flags)),
    )


def _is_ct(observation: Observation) -> bool:
    return observation.obx.text(2) == "NA"


def _code(observation: Observation) -> str:
    return observation.obx.value(3)


def _cts(obx: Segment, path: str) -> _Cts:
    of, second, control, *more = (*obx.components(5), "", "", "")
    flags = tuple(f"ct-{text}-of-unknown" for text in (second, *more) if text)
    return _Cts(cycles(of, path), cycles(control, path), flags)


def _call(obx: Segment) -> str | None:
    """OBX-8, or what was measured."""
    flag = obx.value(8)
    if flag.upper() not in _UNSAID and obx.value(11) != "X":
        return flag
    value = obx.text(5)
    if value.upper() in _UNSAID:
        return None
    return f"{value} {obx.value(6)}".strip()


def _role(specimen: Specimen, name: str, path: str) -> Role:
    if specimen.spm is None or specimen.spm.value(11) != "Q":
        return Role.SPECIMEN
    return control_role([name, *(inv.value(1) for inv in specimen.named("INV"))], path)
