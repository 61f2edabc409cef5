"""The parts that resources are put together of: concepts, references, moments, identifiers."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from lims.exchange.codes import Code

Json = dict[str, Any]

BARCODE: Final = "urn:thantoc:barcode"
PERSON: Final = "urn:thantoc:person"
AREA: Final = "urn:thantoc:area"
# HL7 Viet Nam's core guide: the twelve digits, and the nine-digit card that they replaced. Older
# drafts of it call the first national_id and the second citizen_id.
CCCD: Final = "http://fhir.hl7.org.vn/core/sid/cccd"
CMND: Final = "http://fhir.hl7.org.vn/core/sid/cmnd"


def meta(changed_at: datetime) -> Json:
    """A version is the moment of the change, in microseconds: it only grows."""
    return {"versionId": version(changed_at), "lastUpdated": moment(changed_at)}


def version(changed_at: datetime) -> str:
    since = changed_at - datetime(1970, 1, 1, tzinfo=UTC)
    return str((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def concept(code: Code, text: str | None = None) -> Json:
    coding = {"system": code.system, "code": code.code, "display": code.display}
    return {"coding": [coding], "text": text or code.display}


def identifier(system: str, value: str, **more: str) -> Json:
    return {**more, "system": system, "value": value}


def reference(kind: str, row_id: UUID) -> Json:
    return {"reference": f"{kind}/{row_id}", "type": kind}


def present(**elements: Any) -> Json:
    """Without what is empty: FHIR has no null and no empty list. ``class_`` is ``class``."""
    return {name: value for name, value in elements.items() if value not in (None, [], {}, "")}


def bare(token: str, system: str) -> str | None:
    """The code of ``system|code``, ``|code`` or ``code``; None for another system's."""
    said, bar, code = token.rpartition("|")
    return code if not bar or said in {"", system} else None
