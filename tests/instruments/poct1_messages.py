"""POCT1-A2 messages to hear, in the shape of Quidel's list of a Sofia's messages; nobody's people.
No capture of a Sofia was to be had."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from instruments.line import Action, Keep, Reply
from instruments.poct.conversation import Reviewer
from instruments.poct.message import Message, read

NOW = datetime(2021, 7, 13, 4, 42, tzinfo=UTC)


def message(kind: str, body: str = "", *, control_id: str = "1") -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind}><HDR><HDR.control_id V="{control_id}"/>'
        '<HDR.version_id V="POCT1"/><HDR.creation_dttm V="2021-07-13T11:41:40-00:00"/></HDR>'
        f"{body}</{kind}>"
    ).encode()


def hello(*directives: str, control_id: str = "1") -> bytes:
    told = "".join(f'<DSC.directives_supported_cd V="{each}"/>' for each in directives)
    body = (
        '<DEV><DEV.device_id V="00:06:66:00:22:A1"/><DEV.serial_id V="00010387"/>'
        '<DEV.manufacturer_name V="QUIDEL"/><DEV.device_name V="Sofia"/>'
        '<DCP><DCP.application_timeout V="100"/></DCP>'
        f'<DSC><DSC.connection_profile_cd V="CS"/>{told}<DSC.max_message_sz V="1000"/></DSC></DEV>'
    )
    return message("HEL.R01", body, control_id=control_id)


def status(new: int | str = 0, *, control_id: str = "2") -> bytes:
    body = f'<DST><DST.new_observations_qty V="{new}"/><DST.condition_cd V="R"/></DST>'
    return message("DST.R01", body, control_id=control_id)


def acknowledged(of: str, code: str = "AA", *, control_id: str = "90") -> bytes:
    body = f'<ACK><ACK.type_cd V="{code}"/><ACK.ack_control_id V="{of}"/></ACK>'
    return message("ACK.R01", body, control_id=control_id)


def observed(
    *analytes: tuple[str, str],
    specimen: str = "TT7K40FQ9XB",
    at: str = "2021-07-13T11:41:29-00:00",
    test: str = "Sofia SARS",
    lot: str = "140403",
    reason: str = "NEW",
    control_id: str = "27",
) -> bytes:
    """A patient's test. `analytes`: names and calls."""
    told = "".join(
        f'<OBS><OBS.observation_id V="{name}" SN="QUIDEL"/>'
        f'<OBS.qualitative_value V="{call}"/><OBS.method_cd V="M"/></OBS>'
        for name, call in analytes or [("SARS", "negative")]
    )
    body = (
        f'<SVC><SVC.role_cd V="OBS"/><SVC.observation_dttm V="{at}"/><SVC.reason_cd V="{reason}"/>'
        f'<PT><PT.patient_id V="{specimen}"/>{told}</PT><OPR><OPR.operator_id V="lan"/></OPR>'
        f'<ORD><ORD.universal_service_id V="{test}"/><ORD.order_id V="" SN="Sofia"/></ORD>'
        f'<RGT><RGT.name V="{test}"/><RGT.lot_number V="{lot}"/>'
        '<RGT.expiration_date V="2025-04-03"/></RGT></SVC>'
    )
    return message("OBS.R01", body, control_id=control_id)


def control(
    level: str = "Positive Control", call: str = "passed", *, name: str = "QC Result"
) -> bytes:
    body = (
        '<SVC><SVC.role_cd V="OBS"/><SVC.observation_dttm V="2021-07-13T07:51:22-00:00"/>'
        f'<CTC><CTC.name V="{name}"/><CTC.lot_number V="103533"/><CTC.level_cd V="{level}"/>'
        '<OBS><OBS.observation_id V="Overall Result"/>'
        f'<OBS.qualitative_value V="{call}"/></OBS></CTC>'
        '<RGT><RGT.name V="Sofia SARS"/><RGT.lot_number V="30437"/></RGT></SVC>'
    )
    return message("OBS.R02", body, control_id="18")


def heard(reviewer: Reviewer, data: bytes, *, on_disk: bool = True) -> Iterator[Keep | Reply]:
    for action in reviewer.feed(data, 0.0):
        yield action
        if isinstance(action, Keep):
            reviewer.kept(on_disk)


def said(actions: Iterable[Action]) -> list[Message]:
    """What went out, message by message."""
    return [read(action.byte) for action in actions if isinstance(action, Reply)]


def spoken(actions: Iterable[Action]) -> list[tuple[str, str]]:
    """Of each: what it is, and the one word that it says."""
    words = {
        "ACK.R01": "ACK.type_cd",
        "REQ.R01": "REQ.request_cd",
        "DTV.R01": "DTV.command_cd",
        "END.R01": "TRM.reason_cd",
    }
    return [(each.kind, each.root.value(words[each.kind])) for each in said(actions)]
