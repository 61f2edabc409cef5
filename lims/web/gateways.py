"""The gateways beside the analysers: who is needed where, which lines work, what waits there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, render_template

from lims.domain.gateways import LineState
from lims.web.access import current, needs
from lims.web.flag_words import doubt_words
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.line_words import (
    ANALYSER_CLOCK,
    ANALYSER_CLOCK_WAY,
    CLOCK,
    CLOCK_WAY,
    DOWN,
    DOWN_WAY,
    NOT_SET_UP,
    SET_ASIDE,
    SET_ASIDE_WAY,
    SILENT_WAY,
    STATES,
    TROUBLES,
    TWICE,
    TWICE_WAY,
    UNKNOWN,
    Look,
    Place,
    Way,
    unread_todo,
)
from lims.work.access import Role
from lims.work.views import review_messages
from lims.work.views.gateways import Gateway, Line, gateways

blueprint = Blueprint("gateways", __name__)

LOOKING: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR, Role.ADMIN)
READING: Final = frozenset({Role.REVIEWER, Role.OPERATOR})  # may open the bytes of a message
UNREAD_FOR: Final = timedelta(days=7)
_NAMED: Final = 3  # analysers of a gateway that does not answer; the others are counted
_FEW: Final = 8  # lines of a gateway that work are all shown up to here
_WORST: Final = tuple(STATES)
_URGENT: Final = (
    DOWN,
    STATES[LineState.UNREADABLE],
    STATES[LineState.UNPLUGGED],
    SET_ASIDE,
    *(STATES[state] for state in (LineState.QUEUEING, LineState.SILENT, LineState.UP)),
    NOT_SET_UP,
    TWICE,
    CLOCK,
    ANALYSER_CLOCK,
)
_INSTRUMENTS, _TOKENS = "admin.instruments", "admin.tokens"
_OPENED_BY: Final = {_INSTRUMENTS: {Role.ADMIN, Role.OPERATOR}, _TOKENS: {Role.ADMIN}}
_DOORS: Final = {
    "instrument-unknown": _INSTRUMENTS,
    "token-refused": _TOKENS,
    "scope-missing": _TOKENS,
}


@dataclass(frozen=True, slots=True)
class Errand:
    """Somebody is needed: at which analyser (or gateway), what for, since when. ``box`` names the
    gateway where it is at its box, ``door`` the administrator's page where it is done."""

    name: str
    look: Look
    way: Way
    since: datetime | None
    about: str
    box: str = ""
    door: str | None = None


@blueprint.get("/gateways")
@needs(*LOOKING)
def page() -> str:
    """First who is needed where; then every line, the worst first; then what could not be read."""
    lab, moment, mine = laboratory(), now(), current().roles
    with lab.sessions.begin() as session:
        found = gateways(session, site_id=lab.site_id, now=moment)
        unread = review_messages.unread(session, site_id=lab.site_id, since=moment - UNREAD_FOR)
    lines = [line for gateway in found for line in gateway.lines]
    return render_template(
        "gateways/page.html",
        gateways=sorted(found, key=_rank),
        errands=sorted(_errands(found), key=lambda errand: _URGENT.index(errand.look)),
        unread=unread,
        lines=len(lines),
        working=sum(
            _works(line) for gateway in found if not gateway.down for line in gateway.lines
        ),
        waiting=sum(line.waiting for line in lines),
        dead=sum(line.dead for line in lines),
        in_order=_in_order,
        look_of=_look,
        passing_of=_passing,
        unread_todo=unread_todo,
        may_read=bool(mine & READING),
        doors=[door for door, roles in _OPENED_BY.items() if roles & mine],
    )


def _rank(gateway: Gateway) -> tuple[bool, int, str]:
    """The silent gateway first, then the one with the worst line."""
    worst = min((_WORST.index(line.state) for line in gateway.lines), default=len(_WORST))
    return not gateway.down, worst, gateway.name


def _in_order(gateway: Gateway) -> tuple[Sequence[Line], Sequence[Line]]:
    """The lines to be shown, the worst first; and those to be folded away, when they are many:
    what works, or what nothing is known of."""
    lines = sorted(gateway.lines, key=lambda line: (_WORST.index(line.state), line.instrument))
    quiet = [line for line in lines if gateway.down or _is_quiet(line)]
    if len(quiet) <= _FEW:
        return lines, ()
    return [line for line in lines if line not in quiet], quiet


def _is_quiet(line: Line) -> bool:
    counted = line.waiting or line.dead or line.quarantined
    odd = line.clock is not None or line.twice or line.byte_after_message or not line.set_up
    return line.state is LineState.UP and not counted and not odd


def _works(line: Line) -> bool:
    return line.state in (LineState.UP, LineState.SILENT)


def _look(gateway: Gateway, line: Line) -> Look:
    """What a gateway said last counts only while it speaks."""
    return UNKNOWN if gateway.down else STATES[line.state]


def _passing(line: Line) -> str | None:
    """What is in the way and passes without anybody; else an errand says it."""
    way = TROUBLES.get(line.trouble) if line.trouble else None
    if way is not None and way.place is None:
        return _(way.said)
    return _(SILENT_WAY.said) if line.state is LineState.SILENT else None


def _errands(found: Sequence[Gateway]) -> Iterator[Errand]:
    twice: set[str] = set()
    clocks: set[str] = set()
    for gateway in found:
        if gateway.down:
            yield Errand(gateway.name, DOWN, DOWN_WAY, gateway.heard_at, _serves(gateway))
            continue
        if gateway.clock_ahead:
            yield Errand(gateway.name, CLOCK, CLOCK_WAY, None, "")
        for line in gateway.lines:
            yield from _of_line(gateway, line)
            if line.clock is not None and line.instrument not in clocks:
                clocks.add(line.instrument)
                about = doubt_words(line.clock)
                yield Errand(line.instrument, ANALYSER_CLOCK, ANALYSER_CLOCK_WAY, None, about)
            if line.twice and line.instrument not in twice:
                twice.add(line.instrument)
                yield Errand(line.instrument, TWICE, TWICE_WAY, None, _speakers(found, line))


def _speakers(found: Sequence[Gateway], line: Line) -> str:
    """The gateways that speak for this instrument."""
    return ", ".join(
        gateway.name
        for gateway in found
        if not gateway.down and line.instrument in {one.instrument for one in gateway.lines}
    )


def _of_line(gateway: Gateway, line: Line) -> Iterator[Errand]:
    way = _way(line)
    if way is not None:
        box = gateway.name if way.place is Place.BOX else ""
        door = _DOORS.get(line.trouble or "")
        seen = STATES[line.state]
        yield Errand(line.instrument, seen, way, line.since, _waits(line), box=box, door=door)
    elif not line.set_up:
        unknown = TROUBLES["instrument-unknown"]
        yield Errand(line.instrument, NOT_SET_UP, unknown, None, _waits(line), door=_INSTRUMENTS)
    if line.dead:
        about = ngettext("%(num)s message", "%(num)s messages", line.dead)
        yield Errand(line.instrument, SET_ASIDE, SET_ASIDE_WAY, None, about, box=gateway.name)


def _way(line: Line) -> Way | None:
    """What somebody has to do; a trouble that only a newer gateway knows, as it came."""
    if line.trouble is None:
        return None
    way = TROUBLES.get(line.trouble, Way(line.trouble, Place.BOX))
    return way if way.place is not None else None


def _waits(line: Line) -> str:
    if not line.waiting:
        return ""
    return ngettext("%(num)s message waits", "%(num)s messages wait", line.waiting)


def _serves(gateway: Gateway) -> str:
    """The analysers that are not heard while it is away."""
    names = [line.instrument for line in gateway.lines]
    shown, more = ", ".join(names[:_NAMED]), len(names) - _NAMED
    return shown if more <= 0 else _("%(names)s and %(more)s more", names=shown, more=more)
