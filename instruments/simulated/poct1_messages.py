"""What a simulated Sofia says in POCT1-A2: the shapes are those of its driver's document
(`instruments.drivers.sofia2`) and of Quidel's list of messages."""

from datetime import datetime
from typing import Final
from xml.sax.saxutils import quoteattr

from instruments.analyser_messages import Well
from instruments.measurement import Role

ANALYTE: Final = "SARS"
_TEST: Final = "Sofia SARS"
_LOT: Final = "140403"
_LEVELS: Final = {
    Role.POSITIVE_CONTROL: "Positive Control",
    Role.NEGATIVE_CONTROL: "Negative Control",
}


def observation_id(ended_at: datetime, number: int) -> str:
    """HDR.control_id: the same each time that the observation is sent."""
    return f"{ended_at:%y%m%d%H%M%S%f}{number}"


def sofia_message(well: Well, *, ended_at: datetime, number: int) -> bytes:
    """A test's, OBS.R01, or a quality control's, OBS.R02. Raises ValueError for a number of cycles,
    which a strip has not, and for a control that it does not know."""
    if any(ct is not None for ct in well.targets.values()):
        raise ValueError("a rapid-test reader has no cycle numbers: say the call")
    if well.role is not Role.SPECIMEN and well.role not in _LEVELS:
        raise ValueError(f"a Sofia has no {well.role}")
    about = _patient(well) if well.role is Role.SPECIMEN else _control(well)
    body = (
        f"<SVC>{_v('SVC.role_cd', 'OBS')}{_v('SVC.observation_dttm', _wall_clock(ended_at))}"
        f"{_v('SVC.reason_cd', 'NEW')}{about}"
        f"<ORD>{_v('ORD.universal_service_id', _TEST)}{_v('ORD.order_id', '')}</ORD>"
        f"<RGT>{_v('RGT.name', _TEST)}{_v('RGT.lot_number', _LOT)}"
        f"{_v('RGT.expiration_date', '2099-12-31')}</RGT></SVC>"
    )
    kind = "OBS.R01" if well.role is Role.SPECIMEN else "OBS.R02"
    return _message(kind, body, observation_id(ended_at, number), ended_at)


def hello(serial: str, control_id: str, at: datetime) -> bytes:
    """Who it is, and that it can send each observation when it is made."""
    body = (
        f"<DEV>{_v('DEV.device_id', serial)}{_v('DEV.serial_id', serial)}"
        f"{_v('DEV.manufacturer_name', 'QUIDEL')}{_v('DEV.device_name', 'Sofia 2')}"
        f"<DCP>{_v('DCP.application_timeout', '100')}</DCP>"
        f"<DSC>{_v('DSC.connection_profile_cd', 'CS')}"
        f"{_v('DSC.directives_supported_cd', 'START_CONTINUOUS')}"
        f"{_v('DSC.max_message_sz', '1000')}</DSC></DEV>"
    )
    return _message("HEL.R01", body, control_id, at)


def status(new: int, control_id: str, at: datetime) -> bytes:
    """How many observations nobody has taken yet."""
    body = f"<DST>{_v('DST.new_observations_qty', str(new))}{_v('DST.condition_cd', 'R')}</DST>"
    return _message("DST.R01", body, control_id, at)


def answer(about: str, code: str, control_id: str, at: datetime) -> bytes:
    body = f"<ACK>{_v('ACK.type_cd', code)}{_v('ACK.ack_control_id', about)}</ACK>"
    return _message("ACK.R01", body, control_id, at)


def end_of_topic(control_id: str, at: datetime) -> bytes:
    """What it was asked for has been sent."""
    return _message("EOT.R01", f"<EOT>{_v('EOT.topic_cd', 'OBS')}</EOT>", control_id, at)


def _patient(well: Well) -> str:
    word = well.call or ("invalid" if well.error else "negative")
    note = f"<NTE>{_v('NTE.text', well.error)}</NTE>" if well.error else ""
    told = "".join(_observed(name, word, note) for name in well.targets or (ANALYTE,))
    return f"<PT>{_v('PT.patient_id', well.specimen)}{told}</PT>"


def _control(well: Well) -> str:
    word = well.call or ("failed" if well.error else "passed")
    return (
        f"<CTC>{_v('CTC.name', 'QC Result')}{_v('CTC.lot_number', _LOT)}"
        f"{_v('CTC.level_cd', _LEVELS[well.role])}{_observed('Overall Result', word)}</CTC>"
    )


def _observed(name: str, word: str, note: str = "") -> str:
    return (
        f"<OBS>{_v('OBS.observation_id', name)}{_v('OBS.qualitative_value', word)}"
        f"{_v('OBS.method_cd', 'M')}{note}</OBS>"
    )


def _message(kind: str, body: str, control_id: str, at: datetime) -> bytes:
    header = (
        f"{_v('HDR.control_id', control_id)}{_v('HDR.version_id', 'POCT1')}"
        f"{_v('HDR.creation_dttm', _wall_clock(at))}"
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind}><HDR>{header}</HDR>{body}</{kind}>'
    ).encode()


def _v(name: str, value: str) -> str:
    return f"<{name} V={quoteattr(value)}/>"


def _wall_clock(at: datetime) -> str:
    """As the Sofia writes its own: without a zone that anybody knows (RFC 3339, 4.3)."""
    return f"{at:%Y-%m-%dT%H:%M:%S}-00:00"
