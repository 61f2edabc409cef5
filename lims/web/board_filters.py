"""What the board is narrowed to, as its address says it and as its form offers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from flask import request

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis
from lims.domain.triage import Colour
from lims.web import handoff_words, triage_words
from lims.web.language import gettext as _
from lims.web.language import now
from lims.work.views.board import Asked, Order

E = TypeVar("E", bound=StrEnum)
Options = list[tuple[str, str]]
_HOURS: Final = (2, 6, 24, 72)
_ON_BOARD: Final = tuple(state for state in CaseState if state is not CaseState.CLOSED)
_UNCLASSIFIED: Final = "none"


@dataclass(frozen=True)
class Filters:
    """What the board can be narrowed to, and what it is narrowed to now."""

    areas: Options
    teams: Options
    asked: Asked
    hours: int | None

    @property
    def narrowed(self) -> bool:
        return bool(self.asked.area or self.asked.team_id or self.further)

    @property
    def further(self) -> bool:
        """By more than the place and the team: the rest of the form stands open."""
        asked = self.asked
        return bool(
            asked.basis or asked.state or asked.colour or asked.unclaimed or asked.opened_since
        )

    @property
    def bases(self) -> Options:
        return [(basis.value, handoff_words.basis_words(basis)) for basis in Basis]

    @property
    def states(self) -> Options:
        return [(state.value, handoff_words.state_words(state)) for state in _ON_BOARD]

    @property
    def colours(self) -> Options:
        known = [(colour.value, triage_words.colour_name(colour)) for colour in Colour]
        return [*known, (_UNCLASSIFIED, _("not classified"))]

    @property
    def times(self) -> Options:
        return [(str(hours), _("the last %(n)s hours", n=hours)) for hours in _HOURS]


def asked_for() -> Asked:
    """As the address says it; what cannot be read narrows nothing."""
    team, hours, colour = request.args.get("team", ""), hours_asked(), request.args.get("colour")
    try:
        team_id = UUID(team) if team else None
    except ValueError:
        team_id = None
    return Asked(
        area=request.args.get("area") or None,
        team_id=team_id,
        basis=_one(Basis, "basis"),
        state=_one(CaseState, "state"),
        colour="none" if colour == _UNCLASSIFIED else _one(Colour, "colour"),
        unclaimed=request.args.get("unclaimed") == "1",
        opened_since=now() - timedelta(hours=hours) if hours else None,
        order=_one(Order, "order") or Order.NEWEST,
        page=min(max(request.args.get("page", 1, int), 1), 1_000),
    )


def hours_asked() -> int | None:
    """Found in the last so many hours."""
    hours = request.args.get("hours", 0, int)
    return hours if hours in _HOURS else None


def query_of(asked: Asked) -> dict[str, str]:
    """The same board as an address."""
    hours = hours_asked()
    given = {
        "area": asked.area,
        "team": str(asked.team_id) if asked.team_id else None,
        "basis": asked.basis,
        "state": asked.state,
        "colour": asked.colour,
        "unclaimed": "1" if asked.unclaimed else None,
        "hours": str(hours) if hours else None,
        "order": Order.OLDEST.value if asked.order is Order.OLDEST else None,
        "page": str(asked.page) if asked.page > 1 else None,
    }
    return {name: str(value) for name, value in given.items() if value}


def _one(kind: type[E], name: str) -> E | None:
    said = request.args.get(name, "")
    return kind(said) if said in set(kind) else None
