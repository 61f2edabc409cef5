"""What a simulated machine that speaks HL7 would send: each in its own shape, as its driver's
document and captures show it (`instruments.drivers`: cobas, cobas4800, alinity, fline).

A message is one tube's, but a cobas 4800's is a run's. `number` makes MSH-10 unique.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from instruments.analyser_messages import Well
from instruments.hl7.message import USUAL, escape
from instruments.measurement import Role

_RUN: Final = timedelta(hours=3)
_COBAS_TARGETS: Final = {"ORF1ab": "TGT1", "E": "TGT2"}
_INTERNAL_CONTROL: Final = "IC"
_STRIP_WORDS: Final = {
    "Negative": "260385009",
    "Positive": "10828004",
    "Invalid": "455371000124106",
}
STRIP_TARGET: Final = "SARS-CoV-2 Ag"
_CONTROL_KITS: Final = {Role.POSITIVE_CONTROL: "HPosCtrl", Role.NEGATIVE_CONTROL: "NegCtrl"}


def amplified(targets: Mapping[str, float | None]) -> bool:
    """Whether a gene did; the internal control always should."""
    return any(ct is not None for name, ct in targets.items() if name not in ("IC", "SPC"))


def cobas_message(well: Well, *, serial: str, ended_at: datetime, number: int) -> bytes:
    """A cobas 6800's, of SARS-CoV-2: the call of each target, and its Ct with the control's."""
    status = "X" if well.error else "F"
    device = f"C6800/8800^Roche^^~Unknown^Roche^^~ID_000000000012076380^{_text(serial)}^^"
    tail = f"|||{status}|||||FBN||{device}|{_stamp(ended_at)}|||||||||4170_neg^^99ROC"
    flag = _flag(well.error, "99ROC")
    told = []
    for name, ct in well.targets.items():
        if name == _INTERNAL_CONTROL:
            continue
        code = _text(_COBAS_TARGETS.get(name, name))
        if well.error:
            told.append(f"|{code}^{code}^99ROC|||||{flag}{tail}")
            continue
        call = "NEG" if ct is None else "POS"
        told.append(f"ST|{code}^{code}^99ROC||ValueNotSet|||{call}{tail}")
        control = well.targets.get(_INTERNAL_CONTROL)
        if ct is not None or control is not None:
            named = f"{code}^{code}^99ROC^S_OTHER^Other Supplemental^IHELAW"
            told.append(f"NA|{named}||{_ct(ct)}^^{_ct(control)}|||{tail}")
    assay = "SARS-COV-2^SARS-COV-2^99ROC"
    word = _text(well.call or ("Invalid" if well.error else "NA"))
    told.append(f"ST|{assay}|1/1|{'' if well.error else 'ValueNotSet'}|||{flag or 'NA'}{tail}")
    told.append(f'ST|{assay}|1/2|{word}|||""{tail}')
    return _lines(
        f"MSH|^~\\&|COBAS6800/8800||LIS||{_stamp(ended_at)}||OUL^R22|{_id(ended_at, number)}|P|2.5"
        "||||||ASCII",
        f"SPM||{_text(well.specimen)}||CPM^cobas PCR Media^99ROC|||||||{_kind(well)}"
        "||||||||||||||||",
        "SAC|||||||||||||||||||||400|||uL^^UCUM",
        f"OBR|1|||{assay}|||||||A",
        *(f"OBX|{at}|{each}" for at, each in enumerate(told, start=1)),
        f"TCD|{assay}|^1^:^0",
    )


def cobas4800_message(
    wells: tuple[Well, ...], *, serial: str, ended_at: datetime, number: int
) -> bytes:
    """A run's. Raises ValueError for what it has no place for: it reports one target a tube."""
    end = _stamp(ended_at)
    system = f"C4800^Roche~{_text(serial)}^Roche"
    tail = f"|||op||{system}|{end}"
    told = [
        f"MSH|^~\\&|cobas 4800 software 2.3.0.1905^{_text(serial)}^M|LAB|LIS|LIS Facility"
        f"|{end}{_zone(ended_at)}||OUL^R22^OUL_R22|{_id(ended_at, number)}|P|2.5.1|||ER|AL"
        "||UNICODE UTF-8|||LAB-29^IHE"
    ]
    for at, well in enumerate(wells, start=1):
        if len(well.targets) != 1:
            raise ValueError(f"a cobas 4800 reports one target a tube, not {len(well.targets)}")
        ((target, ct),) = well.targets.items()
        assay, tube = _text(target), _text(well.specimen)
        ranged = "RunTimeRange^Run Execution Time Range^99ROC^S_OTHER^Other_Supplemental^IHELAW"
        began = _stamp(ended_at - _RUN)
        flags = ",".join(well.error.split()) if well.error else "NONE"
        unit = "1/mL^^UCUM" if ct is not None and not well.error else ""
        told += [
            f'SPM|{at}|{tube}&ROCHE||""|||||||Q^^HL70369',
            f"SAC|||{tube}",
            *_control_kit(well),
            f'OBR||""||{assay}^{assay}^99ROC||{began}',
            "ORC|SC||||CM",
            f'OBX|1|DR|{ranged}|1.0|{began}^{end}|||""|||F|||{tail}',
            f"OBX|2|ST|{assay}^{assay}^99ROC|1.1|{_text(_quantity(well, ct))}|{unit}"
            f"||Full^^99ROC|||F|||{tail}",
            f"NTE|1||F;{_text(flags)}",
            f"NTE|2||Ct:0 (MMx 1),{_ct(ct) or 'N/A'}",
            "NTE|3||",
        ]
    return _lines(*told)


def alinity_message(well: Well, *, serial: str, ended_at: datetime, number: int) -> bytes:
    """An Alinity m's, of SARS-CoV-2: result, interpretation, cycle numbers of target and control.

    Raises ValueError for more targets than the assay has."""
    genes = {name: ct for name, ct in well.targets.items() if name != _INTERNAL_CONTROL}
    if len(genes) != 1:
        raise ValueError(f"an Alinity m reports one target a tube, not {len(genes)}")
    ((target, ct),) = genes.items()
    status = "X" if well.error else "F"
    device = f"Alinity m^Abbott~{_text(serial)}^Abbott~1^Abbott~11^Abbott"
    tail = f"|||{status}|||||Pat~operator||{device}|{_stamp(ended_at)}||||||||||RSLT"
    found = "" if well.error else ("Not Detected" if ct is None else "Detected")
    word = "" if well.error else (well.call or ("Target Not Detected" if ct is None else found))
    cycle = "" if well.error else (_ct(ct) or "-1.00")
    flag = _flag(well.error, "99ABT") or '""'
    told = [
        ("ST", "1010", "", found),
        ("ST", "1010.I", "", _text(word)),
        ("NM", "1010.R", _text(target), cycle),
    ]
    control = well.targets.get(_INTERNAL_CONTROL)
    if control is not None:
        told.append(("NM", "1010.C", _INTERNAL_CONTROL, _ct(control)))
    return _lines(
        f"MSH|^~\\&|||||{_stamp(ended_at)}{_zone(ended_at)}||OUL^R22^OUL_R22"
        f"|{_id(ended_at, number)}|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE",
        f"SPM|1|||NPS^Swab^HL70487|||||||{_kind(well)}^^HL70369",
        f"SAC|||{_text(well.specimen)}|||||||A000001|7||||2^Position^99ABT",
        'OBR||""||1010^SARS-CoV-2^99ABT',
        "ORC|SC||||CM",
        "TQ1|||||||||R^Routine^HL70485",
        *(
            f"OBX|{at}|{kind}|{code}^SARS-CoV-2^99ABT{_supplement(code)}|{sub}|{value}|||{flag}{tail}"
            for at, (kind, code, sub, value) in enumerate(told, start=1)
        ),
    )


def fline_message(well: Well, *, serial: str, ended_at: datetime, number: int) -> bytes:
    """A STANDARD F reader's: a word for each line of the strip. Raises ValueError for a number of
    cycles, which a strip has not."""
    if any(ct is not None for ct in well.targets.values()):
        raise ValueError("a rapid-test reader has no cycle numbers: say the call")
    word = well.call or ("Invalid" if well.error else "Negative")
    at = f"{_stamp(ended_at)}{_zone(ended_at)}"
    device = f"{_text(serial)}^70b3d57372500457"
    order = f"{_id(ended_at, number)}^{device}^GUID"
    status = "X" if well.error else "F"
    value = f"{_STRIP_WORDS.get(word.capitalize(), '')}^{_text(word)}^SCT"
    told = [
        f"CWE|94558-4^{_text(name)}^LN|1.0.0.7|{value}|||{_flag(well.error, 'L')}|||{status}"
        f"|||{at}||admin|||{at}"
        for name in well.targets or (STRIP_TARGET,)
    ]
    return _lines(
        f"MSH|^~\\&|{device}^EUI-64| |||{at}||ORU^R01^ORU_R01|{{{_id(ended_at, number)}}}|P|2.6"
        "|||AL|NE||UNICODE UTF-8|EN^English^ISO639||IHE_PCD_ORU_R01^IHE PCD"
        "^1.3.6.1.4.1.19376.1.6.4.1^ISO",
        f"PID|||{_text(well.specimen)}||^^^^^^U",
        f"OBR|1|{order}|{order}|94558-4^{STRIP_TARGET}^LN|||{at}|{at}",
        "NTE|1||Device Information,Date of manufacture=20210215,LotNo=014,SerialNo=00000,"
        "Kind=FLine1",
        *(f"OBX|{line}|{each}" for line, each in enumerate(told, start=1)),
    )


def _control_kit(well: Well) -> list[str]:
    if well.role is Role.SPECIMEN:
        return []
    if well.role not in _CONTROL_KITS:
        raise ValueError(f"a cobas 4800 has no {well.role}")
    return [f"INV|{_CONTROL_KITS[well.role]}^^99ROC|OK^^HL70383|CO^^HL70384"]


def _quantity(well: Well, ct: float | None) -> str:
    """As printed: ten times as many copies for each 3.32 cycles less."""
    if well.error:
        return "Invalid"
    if well.call:
        return well.call
    if ct is None:
        return "Valid" if well.role is not Role.SPECIMEN else "Target Not Detected"
    return f"{10 ** ((40 - ct) / 3.32):.2E} cp/mL"


def _supplement(code: str) -> str:
    return "^S_OTHER^Other Supplemental^IHELAW" if code[-2:] in (".R", ".C") else ""


def _flag(error: str | None, whose: str) -> str:
    if not error:
        return ""
    code, _space, text = error.partition(" ")
    return f"{_text(code)}^{_text(text)}^{whose}"


def _kind(well: Well) -> str:
    return "P" if well.role is Role.SPECIMEN else "Q"


def _ct(ct: float | None) -> str:
    return "" if ct is None else f"{ct:.2f}"


def _id(at: datetime, number: int) -> str:
    """At most 20 characters, as MSH-10 allows (HL7 v2.5.1, 2.15.9.10)."""
    return f"{at:%y%m%d%H%M%S}{at.microsecond // 1000:03d}-{number}"


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


def _zone(at: datetime) -> str:
    return at.strftime("%z")


def _text(text: str) -> str:
    return escape(text, USUAL)


def _lines(*segments: str) -> bytes:
    return "".join(f"{segment}\r" for segment in segments).encode("utf-8")
