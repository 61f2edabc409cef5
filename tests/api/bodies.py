"""What clients send: valid JSON bodies, changed by keyword where a test needs it otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter

from instruments.measurement import Capture
from lims.db.ids import uuid7
from lims.domain.barcodes import minted_from
from lims.work.run_layout import Layout
from tests.builders import HOME
from tests.captures import Told, plate_capture

Json = dict[str, Any]
COLLECTED = "2021-09-11T07:30:00+07:00"
LABELS: Iterator[str] = (barcode for _, barcode in minted_from("TT", "B1", 1))  # never one twice
_LAYOUT = TypeAdapter(Layout)


def label() -> str:
    return next(LABELS)


def fresh_id() -> str:
    return str(uuid7())


def person(**changed: Any) -> Json:
    return {
        "name": "Nguyễn Thị Mai",
        "birth_year": 1989,
        "sex": "female",
        "phone": "0912345678",
        "area": {"scheme": HOME.scheme, "code": HOME.code},
    } | changed


def registration(**changed: Any) -> Json:
    given = {
        "specimen_id": fresh_id(),
        "barcode": label(),
        "collected_at": COLLECTED,
        "person": person(),
    }
    return given | changed


def field_pool(people: int = 3, **changed: Any) -> Json:
    return {
        "tube_id": fresh_id(),
        "barcode": label(),
        "collected_at": COLLECTED,
        "members": [
            {"specimen_id": fresh_id(), "person": person(name=f"Trần Văn {number}")}
            for number in range(people)
        ],
        "household": {
            "household_id": fresh_id(),
            "label": "12 Hai Bà Trưng",
            "area": {"scheme": HOME.scheme, "code": HOME.code},
        },
    } | changed


def pool(sources: Sequence[str], **changed: Any) -> Json:
    return {"pool_id": fresh_id(), "barcode": label(), "sources": list(sources)} | changed


def run(plate: str = "PLATE-0001", **changed: Any) -> Json:
    return {"run_id": fresh_id(), "plate": plate} | changed


def rapid_test(outcome: str = "negative", **changed: Any) -> Json:
    return {
        "specimen_id": fresh_id(),
        "person": person(),
        "started_at": "2021-09-11T00:30:00Z",
        "read_at": "2021-09-11T00:50:00Z",
        "outcome": outcome,
        "kit_lot": "LOT-7",
    } | changed


def rapid_batch(*outcomes: str, **changed: Any) -> Json:
    """A roster of these strips, negative where empty."""
    return {
        "batch_id": fresh_id(),
        "kit_lot": "(01)08935212000017(17)230131(10)AG21-07",
        "started_at": "2021-09-11T00:30:00Z",
        "read_at": "2021-09-11T00:50:00Z",
        "strips": [
            {"specimen_id": fresh_id(), "person": person()} | ({"outcome": one} if one else {})
            for one in outcomes or ("", "positive")
        ],
    } | changed


def message(layout: Json, cts: Mapping[str, Told] | None = None, **changed: Any) -> Json:
    """One analyser's word on a whole plate, as the gateway posts it."""
    return posted(plate_capture(_LAYOUT.validate_python(layout), cts or {})) | changed


def posted(capture: Capture) -> Json:
    return capture.to_json()


def written(body: Json) -> bytes:
    """As it goes over the line, for a test that changes the text itself."""
    return json.dumps(body).encode()


def heartbeat(*instruments: str, gateway: str = "lab-1", **changed: Any) -> Json:
    """A gateway's word on its lines, all of them well unless changed."""
    line = {
        "driver": "genexpert",
        "link": "/dev/serial/by-id/usb-FTDI",
        "state": "up",
        "since": "2021-09-11T00:00:00+00:00",
        "last_byte_at": "2021-09-11T00:59:58+00:00",
        "last_message_at": None,
        "journal_bytes": 5383,
        "waiting": 0,
        "dead": 0,
        "quarantined": 0,
        "trouble": None,
        "detail": "",
    }
    lines = [{"instrument": name} | line | changed for name in instruments or ("GX-1",)]
    return {"gateway": gateway, "version": "0.1.0", "lines": lines}


def recalled(plate: str, **changed: Any) -> Json:
    """What rests on the run of this plate."""
    return {"kind": "run", "subject": plate} | changed


def recall(plate: str, **changed: Any) -> Json:
    """The run of this plate, taken back."""
    return recalled(plate, recall_id=fresh_id(), reason="dropped") | changed


def asked(*specimens: str, **changed: Any) -> Json:
    """An analyser's question; of no specimen, for everything."""
    return {
        "instrument": "QS5-1",
        "assays": ["sars-cov-2"],
        "specimens": list(specimens) or None,
    } | changed
