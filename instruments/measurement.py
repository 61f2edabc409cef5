"""What an analyser said, as values: the only thing that passes from `instruments` to the LIMS.

Standard library only, so that the box beside the analyser and the LIMS can both import it.
`Capture.to_json()` is the body of `POST /api/v1/messages`; its keys are the field names.
Nothing here interprets: a call is the instrument's own word, a cycle number is as printed.
"""

import base64
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class MalformedCapture(ValueError):
    """The JSON is not a capture. Says where, what was expected and what came."""


class Role(StrEnum):
    """What the well held, as the instrument was told."""

    SPECIMEN = "specimen"
    NEGATIVE_CONTROL = "negative_control"
    POSITIVE_CONTROL = "positive_control"
    EXTRACTION_CONTROL = "extraction_control"


@dataclass(frozen=True, slots=True)
class TargetReading:
    """One gene in one well. `ct_cycles` None means that no amplification was seen."""

    target: str
    ct_cycles: float | None = None
    call: str | None = None

    def __post_init__(self) -> None:
        ct = self.ct_cycles
        if ct is not None and not (math.isfinite(ct) and ct > 0):
            raise MalformedCapture(f"{self.target}: a cycle number is above zero, came {ct!r}")


@dataclass(frozen=True, slots=True)
class Measurement:
    """One specimen (or pool) in one well or cartridge, for one assay.

    path: where in the message it was read, for example "O3" or "O1R8"; unique inside a capture.
    specimens: every id the instrument sent; a pool put on a cartridge by hand has several.
    assay: the instrument's code as sent; the LIMS maps it.
    run: plate barcode. well: "A01". Both None for a cartridge.
    call: the instrument's own interpretation of the whole test, as sent.
    measured_at: ISO 8601 by the instrument's clock, without a zone where it sends none.
    """

    path: str
    specimen: str
    role: Role
    assay: str
    targets: tuple[TargetReading, ...]
    specimens: tuple[str, ...] = ()
    run: str | None = None
    well: str | None = None
    call: str | None = None
    measured_at: str | None = None
    error: str | None = None
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.specimens:
            object.__setattr__(self, "specimens", (self.specimen,))
        elif self.specimens[0] != self.specimen:
            raise MalformedCapture(
                f"{self.path}: specimen {self.specimen!r} is not the first of {self.specimens!r}"
            )


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a message gave no measurements. `reason` is a stable slug; `detail` is for a person."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Capture:
    """One message as received, and what the driver read in it.

    digest: SHA-256 of `raw` in hexadecimal; the identity under which a replay is recognised.
    captured_at: ISO 8601 UTC, the gateway's clock.
    complete: the message was closed by its terminator; if not, these are held results and
    more may come under another digest.
    sent_at: when the message says it was sent, as `measured_at`; what tells how far the
    instrument's clock is off. None where it does not say, as in a file.
    """

    digest: str
    instrument: str
    driver: str
    driver_version: str
    captured_at: str
    complete: bool
    raw: bytes
    measurements: tuple[Measurement, ...] = ()
    quarantine: Quarantine | None = None
    sent_at: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; `raw` in base64."""
        return {
            "digest": self.digest,
            "instrument": self.instrument,
            "driver": self.driver,
            "driver_version": self.driver_version,
            "captured_at": self.captured_at,
            "complete": self.complete,
            "raw": base64.b64encode(self.raw).decode("ascii"),
            "measurements": [measurement_to_json(m) for m in self.measurements],
            "quarantine": (
                {"reason": self.quarantine.reason, "detail": self.quarantine.detail}
                if self.quarantine
                else None
            ),
            "sent_at": self.sent_at,
        }

    @classmethod
    def from_json(cls, body: object) -> "Capture":
        """Raise `MalformedCapture` unless every field is present, well-typed and agrees. Older
        gateways, and what they left in a spool, say nothing of `sent_at`."""
        read = _Reader.over(body, cls, "capture", may_lack=frozenset({"sent_at"}))
        raw = _decoded(read.text("raw"))
        digest = read.text("digest")
        if digest != digest_of(raw):
            raise MalformedCapture(f"capture.digest: {digest} is not the SHA-256 of raw")
        return cls(
            digest=digest,
            instrument=read.text("instrument"),
            driver=read.text("driver"),
            driver_version=read.text("driver_version"),
            captured_at=read.text("captured_at"),
            complete=read.truth("complete"),
            raw=raw,
            measurements=read.each("measurements", measurement_from_json),
            quarantine=read.optional("quarantine", _quarantine_from_json),
            sent_at=read.optional("sent_at", _text),
        )


def digest_of(raw: bytes) -> str:
    """The identity of a message: content alone, so that a repeat is the same message."""
    return hashlib.sha256(raw).hexdigest()


def measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    return {
        "path": measurement.path,
        "specimen": measurement.specimen,
        "specimens": list(measurement.specimens),
        "role": measurement.role.value,
        "assay": measurement.assay,
        "run": measurement.run,
        "well": measurement.well,
        "call": measurement.call,
        "targets": [
            {"target": t.target, "ct_cycles": t.ct_cycles, "call": t.call}
            for t in measurement.targets
        ],
        "measured_at": measurement.measured_at,
        "error": measurement.error,
        "flags": list(measurement.flags),
    }


def measurement_from_json(body: object, where: str = "measurement") -> Measurement:
    """Raise `MalformedCapture` on a missing or ill-typed field.

    A field this version does not know is passed over: the gateway may be newer than the LIMS.
    """
    read = _Reader.over(body, Measurement, where)
    role = read.text("role")
    if role not in set(Role):
        raise MalformedCapture(f"{where}.role: expected one of {[*Role]}, came {role!r}")
    return Measurement(
        path=read.text("path"),
        specimen=read.text("specimen"),
        specimens=read.each("specimens", _text),
        role=Role(role),
        assay=read.text("assay"),
        run=read.optional("run", _text),
        well=read.optional("well", _text),
        call=read.optional("call", _text),
        targets=read.each("targets", _target_from_json),
        measured_at=read.optional("measured_at", _text),
        error=read.optional("error", _text),
        flags=read.each("flags", _text),
    )


def _target_from_json(body: object, where: str) -> TargetReading:
    read = _Reader.over(body, TargetReading, where)
    return TargetReading(
        target=read.text("target"),
        ct_cycles=read.optional("ct_cycles", _number),
        call=read.optional("call", _text),
    )


def _quarantine_from_json(body: object, where: str) -> Quarantine:
    read = _Reader.over(body, Quarantine, where)
    return Quarantine(reason=read.text("reason"), detail=read.text("detail"))


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise MalformedCapture(f"{where}: expected text, came {type(value).__name__}")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedCapture(f"{where}: expected a number, came {type(value).__name__}")
    return float(value)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; a letter outside ASCII is another
        raise MalformedCapture(f"capture.raw: expected base64, {error}") from error


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads a JSON object field by field and names the place of whatever is wrong."""

    body: Mapping[str, object]
    where: str

    @classmethod
    def over(
        cls, body: object, shape: type, where: str, *, may_lack: frozenset[str] = frozenset()
    ) -> "_Reader":
        if not isinstance(body, Mapping):
            raise MalformedCapture(f"{where}: expected an object, came {type(body).__name__}")
        missing = {field.name for field in fields(shape)} - set(body) - may_lack
        if missing:
            raise MalformedCapture(f"{where}: missing {sorted(missing)}")
        return cls(body, where)

    def text(self, name: str) -> str:
        return _text(self.body[name], f"{self.where}.{name}")

    def truth(self, name: str) -> bool:
        value = self.body[name]
        if not isinstance(value, bool):
            raise MalformedCapture(f"{self.where}.{name}: expected true or false, came {value!r}")
        return value

    def optional(self, name: str, read: Callable[[object, str], T]) -> T | None:
        value = self.body.get(name)
        return None if value is None else read(value, f"{self.where}.{name}")

    def each(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        value = self.body[name]
        if not isinstance(value, list):
            raise MalformedCapture(f"{self.where}.{name}: expected a list, came {value!r}")
        return tuple(read(item, f"{self.where}.{name}[{n}]") for n, item in enumerate(value))
