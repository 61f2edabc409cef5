"""The gateways' endpoint: how the lines beside the analysers stand."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from lims.api.door import Answer, Ask, Door
from lims.domain.gateways import LineState
from lims.doors.bodies import Body
from lims.doors.fields import NO_NUL, Stamp, Whole
from lims.work.gateways import Standing, hear
from lims.work.tokens import Scope

MOST_LINES = 256
_MOST = 2**31 - 1

Named = Annotated[
    str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True), NO_NUL
]
Said = Annotated[str, StringConstraints(max_length=200), NO_NUL]
Link = Annotated[str, StringConstraints(max_length=4096), NO_NUL]  # a folder's whole path
Slug = Annotated[str, StringConstraints(pattern="^[a-z][a-z-]{0,39}$")]
Count = Annotated[Whole, Field(ge=0, le=_MOST)]


class LineBody(Body):
    """One line of a gateway. ``trouble`` is a slug that a newer gateway may know and we do not."""

    instrument: Named
    driver: Said
    link: Link
    state: LineState
    since: Stamp
    last_byte_at: Stamp | None
    last_message_at: Stamp | None
    journal_bytes: Annotated[Whole, Field(ge=0, le=2**53)]
    waiting: Count
    dead: Count
    quarantined: Count
    trouble: Slug | None
    detail: Said

    def value(self) -> Standing:
        """As the laboratory reads it."""
        return Standing(
            instrument=self.instrument,
            driver=self.driver,
            link=self.link,
            state=self.state,
            since=self.since,
            last_byte_at=self.last_byte_at,
            last_message_at=self.last_message_at,
            journal_bytes=self.journal_bytes,
            waiting=self.waiting,
            dead=self.dead,
            quarantined=self.quarantined,
            trouble=self.trouble,
            detail=self.detail,
        )


class HeartbeatBody(Body):
    """All lines of one gateway as they stand now."""

    gateway: Named
    version: Said
    lines: list[LineBody] = Field(max_length=MOST_LINES)

    @model_validator(mode="after")
    def _each_line_once(self) -> "HeartbeatBody":
        names = [line.instrument for line in self.lines]
        if len(set(names)) < len(names):
            raise ValueError("two lines have the same instrument")
        return self


@dataclass(frozen=True, slots=True)
class Heard:
    """How many lines were told of."""

    lines: int


def declare(door: Door) -> None:
    """Open the gateways' endpoint."""
    door.opens(
        "POST", "/gateways/heartbeat", scope=Scope.MEASURE, body=HeartbeatBody, answers=Heard
    )(heartbeat)


def heartbeat(ask: Ask[HeartbeatBody]) -> Answer:
    """Say how a gateway's lines stand; the latest word replaces the one before."""
    lines = [line.value() for line in ask.body.lines]
    body, site_id = ask.body, ask.holder.site_id
    told = hear(ask.session, body.gateway, body.version, lines, site_id=site_id, now=ask.now)
    return Answer(Heard(told))
