"""The gateways' endpoints: how the lines beside the analysers stand, and what one that asks is to
measure."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from lims.api.door import Answer, Ask, Door
from lims.domain.gateways import LineStanding, LineState
from lims.doors.bodies import Body
from lims.doors.fields import NO_NUL, Stamp, Whole
from lims.work.gateways import hear
from lims.work.tokens import Scope
from lims.work.views.analyser_orders import Ordered, ordered_on, worklist

MOST_LINES = 256
MOST_ASKED = 100
_MOST = 2**31 - 1

Named = Annotated[
    str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True), NO_NUL
]
Said = Annotated[str, StringConstraints(max_length=200), NO_NUL]
Link = Annotated[str, StringConstraints(max_length=4096), NO_NUL]  # a folder's whole path
Slug = Annotated[str, StringConstraints(pattern="^[a-z][a-z-]{0,39}$")]
Assay = Annotated[str, StringConstraints(min_length=1, max_length=60), NO_NUL]
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

    def value(self) -> LineStanding:
        """As the laboratory reads it."""
        return LineStanding(
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


class OrdersBody(Body):
    """An analyser's question. ``specimens`` null asks for all that waits, not for none."""

    instrument: Named
    assays: list[Assay] = Field(min_length=1, max_length=20)
    specimens: list[Said] | None = Field(max_length=MOST_ASKED)


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be measured; a tube that nothing waits on is not among them."""

    orders: list[Ordered]


def declare(door: Door) -> None:
    """Open the gateways' endpoints."""
    door.opens(
        "POST", "/gateways/heartbeat", scope=Scope.MEASURE, body=HeartbeatBody, answers=Heard
    )(heartbeat)
    door.opens("POST", "/instruments/orders", scope=Scope.MEASURE, body=OrdersBody, answers=Orders)(
        instrument_orders
    )


def heartbeat(ask: Ask[HeartbeatBody]) -> Answer:
    """Say how a gateway's lines stand; the latest word replaces the one before."""
    lines = [line.value() for line in ask.body.lines]
    body, site_id = ask.body, ask.holder.site_id
    told = hear(ask.session, body.gateway, body.version, lines, site_id=site_id, now=ask.now)
    return Answer(Heard(told))


def instrument_orders(ask: Ask[OrdersBody]) -> Answer:
    """Say what waits for an analyser that asks: on these tubes, or of all."""
    body, site_id = ask.body, ask.holder.site_id
    if body.specimens is None:
        return Answer(Orders(worklist(ask.session, body.instrument, body.assays, site_id=site_id)))
    found = ordered_on(ask.session, body.instrument, body.specimens, body.assays, site_id=site_id)
    return Answer(Orders(found))
