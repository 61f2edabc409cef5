"""Quidel Sofia and Sofia 2 (immunofluorescence reader): OBS.R01 and OBS.R02 of POCT1-A2 over TCP.

Quidel, *Sofia 2 LIS Interface Specification* (technical bulletin TB2029900EN) and the *Sofia
POCT1-A interface* of Quidel's LIS pages (connectme.quidel.com, Sofia 2, Interface Specifications:
ASTM and POCT1-A are built into every Sofia 2; Virena forwards in HL7 and is not read here). Read
was a public field-by-field extraction of the POCT1-A document, with its examples of an influenza
test. That the SARS tests report an analyte named `SARS` is from Quidel's inserts of the Sofia SARS
Antigen FIA and Flu + SARS Antigen FIA, which show it so on the screen; no capture was seen.

    <OBS.R01><HDR>…</HDR>
      <SVC><SVC.role_cd V="OBS"/><SVC.observation_dttm V="2019-02-22T11:01:29-00:00"/>
           <SVC.reason_cd V="NEW"/>                  RES: sent before
        <PT><PT.patient_id V="…"/>                  what was scanned: a tube or a person
          <OBS><OBS.observation_id V="Flu A" SN="QUIDEL"/>
               <OBS.qualitative_value V="negative"/><OBS.method_cd V="M"/></OBS> …
        </PT>
        <OPR>…</OPR> <ORD><ORD.universal_service_id V="Sofia Flu A+B"/><ORD.order_id V="…"/></ORD>
        <RGT><RGT.name V="Sofia Flu A+B"/><RGT.lot_number V="140403"/>
             <RGT.expiration_date V="2025-04-03"/></RGT>
      </SVC></OBS.R01>

- One measurement for each analyte, of the assay `<test>^<analyte>`: a combined cassette is one test
  of the influenza and one of SARS. There is no Ct: the call stands as sent.
- A message may have several SVC, each a test of its own (POCT01-A2, OBS.R01; from memory). One SVC
  with two patients says of neither which observations are theirs, and is refused.
- Without a patient id the order id is the specimen; without either nothing says whose it is.
- OBS.R02 is a quality control (its role from CTC.level_cd, whatever SVC.role_cd says: Quidel's own
  example says OBS) or a calibration, which is no measurement.
"""

from dataclasses import replace
from typing import Final

from instruments.drivers.observations import control_role, refuse_twice
from instruments.drivers.reading import LONGEST_ERROR, Format, Unreadable
from instruments.measurement import Measurement, Role, TargetReading
from instruments.poct.message import Element, Message, poct_time

_INVALID: Final = frozenset({"invalid", "error", "failed"})


class Sofia2:
    """The driver of the document above."""

    name = "sofia2"
    version = "2"
    format = Format.POCT1

    def measurements(self, message: Message) -> tuple[Measurement, ...]:
        """Raises `Unreadable`: message-type, two-patients, no-specimen, no-results, target-twice,
        unknown-control."""
        services = message.root.named("SVC")
        if message.kind not in ("OBS.R01", "OBS.R02") or not services:
            raise Unreadable("message-type", f"expected OBS.R01, came {message.kind[:40]!r}")
        first, *others = (_told_by(message.kind, service) for service in services)
        return first + tuple(
            replace(one, path=f"SVC{number}{one.path}")
            for number, told in enumerate(others, start=2)
            for one in told
        )


def _told_by(kind: str, service: Element) -> tuple[Measurement, ...]:
    controls = service.first("CTC")
    if kind == "OBS.R02" or controls is not None:
        return _controls(service, controls)
    if len(list(service.below("PT"))) > 1:
        raise Unreadable("two-patients", "one SVC names several patients")
    name = service.value("PT.patient_id") or service.value("ORD.order_id")
    if not name:
        raise Unreadable("no-specimen", "neither PT.patient_id nor ORD.order_id says whose")
    return _measured(service, name, Role.SPECIMEN)


def _controls(service: Element, controls: Element | None) -> tuple[Measurement, ...]:
    told = [controls.value("CTC.name"), controls.value("CTC.level_cd")] if controls else []
    calibrates = any("calibration" in each.casefold() for each in told)
    if calibrates or service.value("SVC.role_cd") == "CAL":
        return ()
    name = next((each for each in reversed(told) if each), "control")
    return _measured(service, name, control_role(told, "CTC"))


def _measured(service: Element, specimen: str, role: Role) -> tuple[Measurement, ...]:
    observations = list(service.below("OBS"))
    if not observations:
        raise Unreadable("no-results", "SVC has no OBS")
    analytes = [each.value("OBS.observation_id") for each in observations]
    if not all(analytes):
        raise Unreadable("no-results", "an OBS names no analyte")
    refuse_twice(analytes, "SVC")
    return tuple(
        _one(service, specimen, role, each, f"OBS{n}") for n, each in enumerate(observations, 1)
    )


def _one(
    service: Element, specimen: str, role: Role, observation: Element, path: str
) -> Measurement:
    analyte = observation.value("OBS.observation_id")
    call = observation.value("OBS.qualitative_value") or observation.value("OBS.value") or None
    invalid = call if role is Role.SPECIMEN and (call or "").casefold() in _INVALID else None
    test = service.value("ORD.universal_service_id") or service.value("RGT.name") or "Sofia"
    return Measurement(
        path=path,
        specimen=specimen,
        role=role,
        assay=f"{test}^{analyte}",
        targets=(TargetReading(analyte, None, call),),
        call=call,
        measured_at=poct_time(service.value("SVC.observation_dttm")),
        error=_told(observation, invalid),
        flags=_flags(service),
    )


def _told(observation: Element, invalid: str | None) -> str | None:
    """Why an invalid one is invalid, where a note says so."""
    if invalid is None:
        return None
    notes = [note.v for note in observation.below("NTE.text") if note.v]
    return ": ".join([invalid, *notes])[:LONGEST_ERROR]


def _flags(service: Element) -> tuple[str, ...]:
    """The cassette's lot and last day, which a recall names; whether it was sent before."""
    lot, expires = service.value("RGT.lot_number"), service.value("RGT.expiration_date")
    told = [f"lot-{lot}" if lot else "", f"expires-{expires}" if expires else ""]
    if service.value("SVC.reason_cd") == "RES":
        told.append("resent")
    return tuple(each for each in told if each)
