"""The instruments' endpoint: a message is taken once, however often it is sent."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, JsonValue, Strict, model_validator

from instruments.measurement import Capture, MalformedCapture
from lims.api import problems
from lims.api.door import Answer, Ask, Door
from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.bodies import Body
from lims.doors.fields import NO_NUL, Stamp
from lims.work.measure import Receipt, take
from lims.work.tokens import Scope

Text = Annotated[str, Field(max_length=200), NO_NUL]
MOST_BYTES: Final = 24 * 1024 * 1024  # the longest message a gateway keeps, 16 MB, in base64
BASE64: Final[dict[str, JsonValue]] = {"contentEncoding": "base64"}


class TargetBody(Body):
    """One target of one well; a null cycle number is no amplification, or that none was sent.

    ``call``: the analyser's own word, as sent. A closed system's may stand where no number came.
    """

    target: Text
    ct_cycles: Annotated[float, Strict()] | None = Field(None, gt=0, le=60, allow_inf_nan=False)
    call: Text | None = None


class MeasurementBody(Body):
    """One well or cartridge as the instrument reported it."""

    path: Text
    specimen: Text
    role: Literal["specimen", "negative_control", "positive_control", "extraction_control"]
    assay: Text
    targets: list[TargetBody] = Field(max_length=100)
    specimens: list[Text] = Field(default=[], max_length=100)
    run: Text | None = None
    well: Text | None = None
    call: Text | None = None
    measured_at: Text | None = None
    error: Text | None = None
    flags: list[Text] = Field(default=[], max_length=50)


class QuarantineBody(Body):
    """Why the gateway could read nothing in the bytes."""

    reason: Text
    detail: Annotated[str, Field(max_length=2000), NO_NUL]


class MessageBody(Body):
    """What ``lims-gateway`` posts: the bytes, and what its driver read in them."""

    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    instrument: Text
    driver: Text
    driver_version: Text
    captured_at: Stamp
    complete: Annotated[bool, Strict()]
    raw: str = Field(description="the bytes, base64", json_schema_extra=BASE64)
    measurements: list[MeasurementBody] = Field(max_length=5000)
    quarantine: QuarantineBody | None = None
    sent_at: Text | None = Field(
        None, description="when the message says it was sent, by the analyser's clock"
    )

    @model_validator(mode="after")
    def _each_path_once(self) -> "MessageBody":
        paths = [m.path for m in self.measurements]
        if len(set(paths)) < len(paths):
            raise ValueError("two measurements have the same path")
        return self

    def value(self) -> Capture:
        """As the instruments package reads it. Raises InvalidBody when it contradicts itself."""
        try:
            return Capture.from_json(self.model_dump(mode="json"))
        except MalformedCapture as error:
            raise InvalidBody(
                errors=[{"pointer": "#", "detail": str(error)}], where="message"
            ) from error


class PacketBody(Body):
    """What piled up at a gateway while the LIMS was away, in order."""

    messages: list[MessageBody] = Field(min_length=1, max_length=50)


@dataclass(frozen=True, slots=True)
class PacketRow:
    """One message's outcome: its receipt, or the problem."""

    receipt: Receipt | None
    problem: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class PacketOutcome:
    """Every message's outcome, in the order they came."""

    rows: list[PacketRow]


def declare(door: Door) -> None:
    """Open the instruments' endpoints."""
    door.opens(
        "POST",
        "/messages",
        scope=Scope.MEASURE,
        body=MessageBody,
        answers=Receipt,
        most_bytes=MOST_BYTES,
    )(message)
    door.opens(
        "POST", "/messages/batch", scope=Scope.MEASURE, body=PacketBody, answers=PacketOutcome
    )(messages)


def message(ask: Ask[MessageBody]) -> Answer:
    """Take one message of an analyser: idempotent by the digest of its bytes."""
    receipt, replayed = _taken(ask, ask.body)
    return Answer(receipt, created=not replayed)


def messages(ask: Ask[PacketBody]) -> Answer:
    """Take up to 50 messages in order; each is taken or refused by itself."""
    rows, fresh = [], False
    for body in ask.body.messages:
        try:
            with ask.session.begin_nested():
                receipt, replayed = _taken(ask, body)
        except Refusal as refusal:
            rows.append(PacketRow(None, problems.problem(refusal)))
        else:
            rows.append(PacketRow(receipt, None))
            fresh = fresh or not replayed
    return Answer(PacketOutcome(rows), created=fresh)


def _taken(ask: Ask[Any], body: MessageBody) -> tuple[Receipt, bool]:
    return take(
        ask.session,
        body.value(),
        site_id=ask.holder.site_id,
        captured_at=body.captured_at,
        now=ask.now,
    )
