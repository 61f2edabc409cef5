"""SD Biosensor STANDARD F (F200, F2400): ORU^R01 over MLLP, HL7 v2.6, IHE PCD-01 (DEC).

SD Biosensor, *FLine Communication Guidance*, SDT-FLINE-COMMUNICATION-GUIDANCE, 1.4.1 (2019-03-21),
of which the contents and the rules on connections were read; the shape of a message is that of an
F2400's own log of 2026. The codes of a qualitative CWE are from memory and pass as sent.

    MSH|^~\\&|<serial>^<EUI-64>^EUI-64| |||…||ORU^R01^ORU_R01|{guid}|P|2.6|||AL|NE||UNICODE UTF-8|…
    PID|||<id>||^^^^^^U                          the id is what was scanned: a tube or a person
    OBR|1|<guid>…|<guid>…|<code>^<name>^LN|||<time>|<time>
    NTE|1||Device Information,Date of manufacture=…,LotNo=014,SerialNo=00000,Kind=FLine1
    OBX|1|CWE|<code>^<name>^LN|1.0.0.7|<code>^Negative^<system>|||||F|||<time>||<user>|||<time>
    OBX|1|NM|<code>^<name>^LN|1.0.0.7|6.3|%^…|[4.00;15.00]||||F|||…    a quantity

- The reader closes the connection after a message and its answer.
- There is no Ct: a target is its call, in words, as sent (the text of a code, or the code).
- A quality control is sent without a patient (contents, "Observations Non-Patient related (Quality
  Control)" and samples 4 and 5, whose text could not be read): PID-3 is empty. That is no mark of a
  control: a patient's test for which nothing was scanned is sent so too (a capture of the same
  protocol, `PID|||||^^^^^^U` with an interpreted result). So both are quarantined as having no
  specimen; a lost result must be seen, and no control is guessed.
"""

from instruments.drivers.observations import (
    error_of,
    refuse_others,
    refuse_twice,
    reported,
    status_flags,
)
from instruments.drivers.reading import Format, Unreadable
from instruments.hl7.message import Message, Segment
from instruments.hl7.results import Request, hl7_time
from instruments.measurement import Measurement, Role, TargetReading

QUALITATIVE = frozenset({"CWE", "CE", "CNE", "ST", "IS", "TX"})
WORDS = {  # SNOMED CT, where the text of a code was left out; from memory
    "260385009": "Negative",
    "10828004": "Positive",
    "455371000124106": "Invalid",
}
INVALID = frozenset({"invalid", "error", "failed"})


class FLine:
    """The driver of the document above."""

    name = "fline"
    version = "1"
    format = Format.HL7

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: host-query, message-type, another-instrument, sequence-gap,
        no-specimen, two-patients, no-results, target-twice."""
        found = reported(message, "ORU^R01")
        if "IHE_PCD_ORU_R01" not in message.header.text(21):
            refuse_others(message, "eui-64")
        ids = {pid.value(3) for pid in message.named("PID")}
        if len(ids) > 1:
            raise Unreadable("two-patients", "one message names several specimens")
        name = ids.pop() if ids else ""
        if not name:
            raise Unreadable("no-specimen", "PID-3 is empty: a quality control, or nothing scanned")
        measured = tuple(
            _measured(name, request) for specimen in found for request in specimen.requests
        )
        if not measured:
            raise Unreadable("no-results", "no OBR came")
        return measured


def _measured(name: str, request: Request) -> Measurement:
    path, observations = request.path, request.observations
    if not observations:
        raise Unreadable("no-results", f"{path} has no observation")
    readings = tuple(
        TargetReading(_target(each.obx), None, _call(each.obx)) for each in observations
    )
    refuse_twice([reading.target for reading in readings], path)
    calls = [reading.call or "" for reading in readings]
    invalid = next((call for call in calls if call.casefold() in INVALID), None)
    return Measurement(
        path=path,
        specimen=name,
        role=Role.SPECIMEN,
        assay=request.obr.value(4, 2) or request.obr.value(4),
        targets=readings,
        call=calls[0] or None if len(calls) == 1 else None,
        measured_at=hl7_time(request.obr.text(7)) or hl7_time(observations[0].obx.text(14)),
        error=error_of(observations) or invalid,
        flags=(*status_flags(observations), *_lots(request)),
    )


def _target(obx: Segment) -> str:
    return obx.value(3, 2) or obx.value(3)


def _call(obx: Segment) -> str | None:
    value = obx.value(5)
    if obx.text(2) in QUALITATIVE:
        return obx.value(5, 2) or WORDS.get(value, value) or None
    return f"{value} {obx.value(6)}".strip() or None


def _lots(request: Request) -> tuple[str, ...]:
    """The lot of the cassette, which a recall names."""
    told = [part for nte in request.details for part in nte.text(3).split(",")]
    found = (part.partition("=")[2].strip() for part in told if part.strip().startswith("LotNo="))
    return tuple(f"lot-{lot}" for lot in found if lot)
