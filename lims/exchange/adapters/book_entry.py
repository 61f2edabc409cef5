"""One swab's word as an entry of a citizen's electronic health book (docs/exchange.md).

``record`` is the swab's id and never changes; of one record the highest ``sequence`` counts. A
withdrawal names the person whose book it goes out of, and carries no result.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, Final, Literal, get_args

from lims.domain.exchange import Says
from lims.domain.outcomes import FindingOutcome
from lims.domain.result_slips import SAYABLE
from lims.exchange.codes import ANTIGEN, PCR
from lims.exchange.speaker import Payload
from lims.exchange.swab_words import Human, SwabWord
from lims.work.outbound import Owing

Status = Literal["final", "corrected", "withdrawn"]
EVERY_STATUS: Final = frozenset(get_args(Status))
_WHY: Final = {
    Says.PRELIMINARY: "under-review",  # another word will follow
    Says.CANCELLED: "no-result",
    Says.WRONG: "other-person",
}


def status_of(says: Says, outcome: FindingOutcome) -> Status:
    """That somebody is to be swabbed again is a last word, and no result to keep in a book."""
    if says in _WHY or outcome not in SAYABLE:
        return "withdrawn"
    return "final" if says is Says.FINAL else "corrected"


def book_entry(word: SwabWord, owing: Owing) -> Payload:
    """The same bytes for the same word, however often it is said."""
    entry: dict[str, Any] = {
        "message": str(owing.outbound_id),
        "record": str(owing.subject_id),
        "sequence": owing.sequence,
        "status": status_of(owing.says, word.outcome),
        "told_at": _time(owing.created_at),
        "person": _person(word.person),
        "test": _test(word),
    }
    if entry["status"] == "withdrawn":
        entry["why"] = _WHY.get(owing.says, "swab-again")
    else:
        entry["result"] = str(word.outcome)
        entry["released_at"] = _time(word.released_at or word.created_at)
    data = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    return Payload(
        owing.outbound_id, data, hashlib.sha256(data).hexdigest(), str(owing.outbound_id)
    )


def _person(who: Human) -> dict[str, Any]:
    born = who.birth_date.isoformat() if who.birth_date else who.birth_year
    said = {
        "cccd": who.national_id,
        "cmnd": who.old_id,
        "name": who.name,
        "born": str(born) if born else None,
        "sex": who.sex,
        "phone": who.phone,
    }
    return {name: value for name, value in said.items() if value is not None}


def _test(word: SwabWord) -> dict[str, Any]:
    """A pool's cycles are nobody's, and whose swabs lay beside this one is nobody's business."""
    said: dict[str, Any] = {
        "loinc": (ANTIGEN if word.antigen else PCR).code,
        "method": "antigen" if word.antigen else "pcr",
        "collected_at": _time(word.collected_at),
    }
    if word.kit:
        if word.kit.name:
            said["kit"] = word.kit.name
        said["lot"] = word.kit.lot
    return said


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
