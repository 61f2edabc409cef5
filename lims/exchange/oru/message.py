"""One swab's word as ORU^R01 (HL7 v2.5.1, 7.3.1): MSH PID ORC OBR OBX SPM.

The specimen that was tested stands where it is another than the person's own tube: a pool made here
has the role L, a field pool G (table 0369), and SPM-13 counts its swabs. MSH-7 is when it was owed
and MSH-10 follows from the content, so that the same word sent again is the same message.
"""

import hashlib
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from instruments.hl7.acknowledgement import LONGEST_ID
from instruments.hl7.message import write
from lims.domain.barcodes import shown
from lims.domain.exchange import Says
from lims.domain.lifecycle import TubeKind
from lims.exchange.codes import (
    ANTIGEN,
    CYCLES,
    DETECTED,
    INCONCLUSIVE,
    NOT_DETECTED,
    PANEL,
    PCR,
    SWAB,
    VALUES,
    Code,
)
from lims.exchange.speaker import Payload
from lims.exchange.swab_words import Human, SwabWord

OURS: Final = "THANTOC"  # MSH-3, and who assigned the numbers that are ours
_VIETNAM: Final = "VNM"  # ISO 3166, table 0399
_CHARSET: Final = "UNICODE UTF-8"
# Table 0123 has no W: a report of which a part was wrong is a corrected one.
_REPORT: Final = {Says.WRONG: "C"}
_ABNORMAL: Final = {DETECTED: "A", NOT_DETECTED: "N", INCONCLUSIVE: None}  # table 0078
Field = object
Segment = tuple[Field, ...]


def oru(
    word: SwabWord,
    says: Says,
    *,
    outbound_id: UUID,
    owed_at: datetime,
    facility: str,
    to: tuple[str, str],
) -> Payload:
    """``facility`` is MSH-4, ``to`` the receiver's MSH-5 and MSH-6."""
    body = [
        _pid(word.person),
        ("ORC", "RE", None, _ours(word.specimen_id)),
        _obr(word, says),
        *_observations(word, says),
        *_specimens(word),
    ]
    plain = write(body)
    about = hashlib.sha256(outbound_id.bytes + b"|".join(part.encode() for part in to) + plain)
    control_id = about.hexdigest()[:LONGEST_ID]
    data = write([_msh(control_id, owed_at, facility, to), *body])
    return Payload(outbound_id, data, hashlib.sha256(data).hexdigest(), control_id)


def _msh(control_id: str, at: datetime, facility: str, to: tuple[str, str]) -> Segment:
    application, there = to
    return (
        "MSH",
        OURS,
        facility,
        application or None,
        there or None,
        _time(at),
        None,
        ("ORU", "R01", "ORU_R01"),
        control_id,
        "P",
        "2.5.1",
        *[None] * 4,
        _VIETNAM,
        _CHARSET,
    )


def _pid(who: Human) -> Segment:
    """PID-3: our id, the twelve digits (NI) and the nine-digit card that they replaced."""
    numbers: list[Field] = [(str(who.person_id), None, None, OURS, "PI")]
    if who.national_id:
        numbers.append((who.national_id, None, None, "CCCD", "NI"))
    if who.old_id:
        numbers.append((who.old_id, None, None, "CMND", f"NN{_VIETNAM}"))
    family, *rest = who.name.split()
    given, middle = (rest[-1], " ".join(rest[:-1])) if rest else (None, "")
    born = who.birth_date.strftime("%Y%m%d") if who.birth_date else who.birth_year
    return (
        "PID",
        "1",
        None,
        numbers,
        None,
        (family, given, middle or None, None, None, None, "L"),
        None,
        born,
        {"male": "M", "female": "F"}.get(who.sex or "", "U"),
        None,
        None,
        _address(who),
        None,
        (None, "PRN", "CP", *[None] * 8, who.phone) if who.phone else None,
    )


def _address(who: Human) -> Field:
    home = who.home
    if home is None:
        return (who.address, None, None, None, None, _VIETNAM, "H") if who.address else None
    ward = home.name if home.name != home.province else None
    return (who.address, None, ward, home.province, None, _VIETNAM, "H", None, home.code)


def _obr(word: SwabWord, says: Says) -> Segment:
    return (
        "OBR",
        "1",
        None,
        _ours(word.specimen_id),
        _coded(ANTIGEN if word.antigen else PANEL),
        None,
        None,
        _time(word.collected_at),
        *[None] * 14,
        _time(word.released_at or word.created_at),
        None,
        "MB",
        _REPORT.get(says, str(says)),
    )


def _observations(word: SwabWord, says: Says) -> list[Segment]:
    value = VALUES[word.outcome]
    result = _obx(
        1,
        word,
        says,
        code=_coded(ANTIGEN if word.antigen else PCR),
        kind="CWE",
        value=_coded(value) if value and says is not Says.CANCELLED else None,
        flag=_ABNORMAL.get(value) if value else None,
    )
    notes: list[Segment] = [("NTE", "1", "L", said)] if (said := _note(word)) else []
    return [result, *notes, *_cycles(word, says)]


def _cycles(word: SwabWord, says: Says) -> list[Segment]:
    """Of the newest test of this person's own tube; a pool's cycles are nobody's."""
    if not word.own or says is Says.CANCELLED:
        return []
    return [
        _obx(
            number,
            word,
            says,
            code=_coded(CYCLES[target]) if target in CYCLES else (f"{target}-CT", "Ct", "L"),
            kind="NM",
            value=f"{ct:.2f}".rstrip("0").rstrip("."),
            units=("{Ct}", "cycle threshold", "UCUM"),
        )
        for number, (target, ct) in enumerate(sorted(word.own[-1].cts.items()), start=2)
    ]


def _obx(
    number: int,
    word: SwabWord,
    says: Says,
    *,
    code: Field,
    kind: str,
    value: Field,
    units: Field = None,
    flag: str | None = None,
) -> Segment:
    latest = word.evidence[-1] if word.evidence else None
    analysed = latest.at if latest else word.kit.read_at if word.kit else None
    return (
        "OBX",
        str(number),
        kind if value is not None else None,
        code,
        "1",
        value,
        units,
        None,
        flag if value is not None else None,
        None,
        None,
        str(says),
        None,
        None,
        _time(word.collected_at),
        None,
        None,
        _method(word),
        (latest.instrument, OURS) if latest else None,
        _time(analysed) if analysed else None,
    )


def _method(word: SwabWord) -> Field:
    """The kit and its lot; for a PCR the assay."""
    if word.kit:
        return (word.kit.lot, word.kit.called, "L")
    return (word.evidence[-1].assay, "Real-time RT-PCR", "L") if word.evidence else None


def _note(word: SwabWord) -> str:
    pool = word.pooled
    if pool is None or VALUES[word.outcome] is not NOT_DETECTED:
        return ""
    return f"Not detected in pool {shown(pool.barcode)} of {pool.swabs} swabs."


def _specimens(word: SwabWord) -> list[Segment]:
    """The person's own tube first, then the pool that was tested in place of it."""
    together = word.tube_kind is TubeKind.FIELD_POOL
    found = [_spm(1, word, word.barcode, "G" if together else "P", word.tube_swabs)]
    pool = word.pooled
    if pool is not None and pool.tube_id != word.tube_id:
        found.append(_spm(2, word, pool.barcode, "L", pool.swabs))
    return found


def _spm(number: int, word: SwabWord, barcode: str | None, role: str, swabs: int) -> Segment:
    return (
        "SPM",
        str(number),
        (None, (barcode, OURS)) if barcode else None,
        None,
        _coded(SWAB),
        *[None] * 6,
        (role, None, "HL70369"),
        None,
        str(swabs) if role != "P" else None,
        *[None] * 3,
        (_time(word.collected_at),),
        _time(word.received_at) if word.received_at and number == 1 else None,
    )


def _coded(code: Code) -> Segment:
    return (code.code, code.display, code.v2)


def _ours(row_id: UUID) -> Segment:
    return (str(row_id), OURS)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H%M%S+0000")
