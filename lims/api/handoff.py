"""Endpoints of tracing teams: fetch a case that was announced, claim it, know its corrections."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app

from lims.api.door import Answer, Ask, Door, Listening
from lims.api.notice_feed import bell_of, events, place_of
from lims.domain.refusals import WrongScope
from lims.work.acknowledge import Acknowledged, acknowledge
from lims.work.case_card import CaseCard, fetch_case
from lims.work.claim import Held, claim
from lims.work.tokens import Scope
from lims.work.told import Told, told_since


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Notices in the order they were owed; ``next_cursor`` continues after the last.

    A notice appears a second or so after it was owed: when ``complete_until``
    has passed its time, no earlier one can still come.
    """

    notices: list[Told]
    next_cursor: str | None
    complete_until: datetime


def declare(door: Door) -> None:
    """Open the hand-off's endpoints."""
    door.opens("GET", "/cases/<uuid:case_id>", scope=Scope.CASES, answers=CaseCard)(case)
    door.opens("POST", "/cases/<uuid:case_id>/claim", scope=Scope.CASES, answers=Held)(claim_case)
    door.opens(
        "POST", "/cases/<uuid:case_id>/acknowledge", scope=Scope.CASES, answers=Acknowledged
    )(acknowledge_case)
    door.opens("GET", "/notices", scope=Scope.CASES, answers=NoticePage)(notices)
    door.opens("GET", "/notices/after/<uuid:cursor>", scope=Scope.CASES, answers=NoticePage)(
        notices_after
    )
    door.streams("/notices/feed", scope=Scope.CASES, event=Told)(notice_feed)


def notice_feed(listening: Listening) -> Iterator[str]:
    """What your team is told, as it happens (server-sent events, resumable by Last-Event-ID)."""
    lab = listening.laboratory
    return events(
        lab,
        bell_of(current_app, lab.engine),
        listening.holder.team_id,
        place_of(lab, listening.since),
        still_in=listening.still_in,
    )


def case(ask: Ask[None], case_id: UUID) -> Answer:
    """Fetch an F0 case that your team was told of."""
    card = fetch_case(
        ask.session,
        case_id,
        ask.holder.team_id,
        site_id=ask.holder.site_id,
        by=ask.by,
        now=ask.now,
    )
    return Answer(card)


def claim_case(ask: Ask[None], case_id: UUID) -> Answer:
    """Claim a case for your team; claiming it again answers the same."""
    team_id = _team_of(ask, "claim")
    fetch_case(
        ask.session,
        case_id,
        team_id,
        site_id=ask.holder.site_id,
        by=ask.by,
        now=ask.now,
    )
    held = claim(ask.session, case_id, team_id, by=ask.by, now=ask.now)
    return Answer(held, created=not held.replayed)


def acknowledge_case(ask: Ask[None], case_id: UUID) -> Answer:
    """Say that your team knows of the case's corrections, once a person has taken note of them.

    Fetching a case says nothing of the kind. Again answers the same.
    """
    team_id = _team_of(ask, "acknowledge")
    known = acknowledge(
        ask.session, case_id, team_id, site_id=ask.holder.site_id, by=ask.by, now=ask.now
    )
    return Answer(known)


def _team_of(ask: Ask[None], act: str) -> UUID:
    """Raises WrongScope: a token that names no team speaks for none."""
    if ask.holder.team_id is None:
        raise WrongScope(
            expected="a token of a tracing team",
            came="a token without a team",
            where=act,
            todo="ask an administrator for a token that names your team",
        )
    return ask.holder.team_id


def notices(ask: Ask[None]) -> Answer:
    """What your team was told, from the beginning."""
    return Answer(_page(ask, None))


def notices_after(ask: Ask[None], cursor: UUID) -> Answer:
    """What your team was told after the cursor."""
    return Answer(_page(ask, cursor))


def _page(ask: Ask[None], cursor: UUID | None) -> NoticePage:
    page = told_since(ask.session, ask.holder.team_id, cursor)
    last = str(page.notices[-1].notice_id) if page.notices else None
    return NoticePage(page.notices, last, page.complete_until)
