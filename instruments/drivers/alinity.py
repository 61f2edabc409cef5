"""Abbott Alinity m: OUL^R22 over MLLP, HL7 v2.5.1 after IHE LAW, one message a specimen.

From captures of a working laboratory (two generations of the software), not from Abbott's interface
specification, which is not public: deforay/vlsm-interfacing at 7129b81b.

    MSH|^~\\&|||||…                              no name in MSH-3: OBX-18 is who sends
    SPM|1|||PLAS^Plasma^HL70487|…               SPM-2 and SPM-3 are always empty
    SAC|||<id>|||||||<rack>|<place>
    OBR||""||<assay>^<name>^99ABT
    OBX|1|ST|<assay>^…||161,152|^Copies/mL…     the result, with thousands commas
    OBX|2|ST|<assay>.I^…||Detected…             the interpretation
    OBX|3|NM|<assay>.R^…|<target>|18.62|^CN…    cycle number; -1.00: no amplification
    OBX|4|EI|<assay>.G^…                        an id of the run
    OBX|5|ST|<assay>.S^…|0|4.21…                the result as a logarithm (newer software)
    OBX|6|NM|<assay>.M^…|IC|0.361…              the height of the curve
    OBX|8|NM|<assay>.C^…|IC|15.70|^CN…          cycle number of the internal control

- OBX-4 names the target of .R and .C. A target's call is the result; the test's, .I.
- Sixteen INV and a NTE stand after the first OBX, INV of controls (`CO`) among them: those are the
  controls of the reagent lot and say nothing of this specimen.
- OBX-11 X, or a result without .R: an error, by what OBX-8 or the result says.
"""

import re

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

_THOUSANDS = re.compile(r"([<>] ?)?\d{1,3}(,\d{3})+(\.\d+)?")


class AlinityM:
    """The driver of the captures above."""

    name = "alinity-m"
    version = "1"
    format = Format.HL7

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: host-query, message-type, another-instrument, sequence-gap,
        no-results, no-specimen, specimen-mismatch, unknown-control, target-twice, cycle-number."""
        found = reported(message, "OUL^R22")
        refuse_others(message, "alinity m")
        measured = tuple(
            _measured(specimen, request) for specimen in found for request in specimen.requests
        )
        if not measured:
            raise Unreadable("no-results", "no specimen has a result")
        return measured


def _measured(specimen: Specimen, request: Request) -> Measurement:
    path, observations = request.path, request.observations
    assay = request.obr.value(4)
    result = next((each.obx for each in observations if each.obx.value(3) == assay), None)
    if result is None:
        raise Unreadable("no-results", f"{path} has no result of {assay[:20]!r}")
    name = refuse_without_specimen(specimen_id(specimen), path)
    said = _said(result)
    readings = _targets(observations, assay, path, said)
    interpreted = next((obx.text(5) for obx in _of(observations, assay, "I")), "")
    error = error_of(observations)
    if not error and not any(_of(observations, assay, "R")):
        error = said or "no cycle number was sent"
    return Measurement(
        path=path,
        specimen=name,
        role=_role(specimen, name, path),
        assay=_named(request.obr),
        targets=readings,
        call=interpreted or said or None,
        measured_at=hl7_time(result.text(19)),
        error=error,
        flags=status_flags(observations),
    )


def _targets(
    observations: list[Observation], assay: str, path: str, said: str
) -> tuple[TargetReading, ...]:
    own = list(_of(observations, assay, "R"))
    controls = list(_of(observations, assay, "C"))
    refuse_twice([obx.text(4) for obx in (*own, *controls)], path)
    call = (said or None) if len(own) == 1 else None
    return (
        *(TargetReading(obx.text(4), cycles(obx.text(5), path), call) for obx in own),
        *(TargetReading(obx.text(4) or "IC", cycles(obx.text(5), path)) for obx in controls),
    )


def _of(observations: list[Observation], assay: str, suffix: str) -> list[Segment]:
    code = f"{assay}.{suffix}"
    return [each.obx for each in observations if each.obx.value(3) == code]


def _said(result: Segment) -> str:
    """Numbers without their thousands commas."""
    value = result.text(5)
    if _THOUSANDS.fullmatch(value):
        value = value.replace(",", "")
    return f"{value} {result.value(6, 2)}".strip()


def _named(obr: Segment) -> str:
    """The assay by its name, where one is sent: the number is of the laboratory's own menu."""
    return obr.value(4, 2) or obr.value(4)


def _role(specimen: Specimen, name: str, path: str) -> Role:
    if specimen.spm is None or specimen.spm.value(11) != "Q":
        return Role.SPECIMEN
    return control_role([name, *(inv.value(1) for inv in specimen.named("INV"))], path)
