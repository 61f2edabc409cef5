"""Endpoints of recall: what rests on a run, a lot or an analyser's days, and taking it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lims.api.door import Answer, Ask, Door
from lims.domain.recall import RecallKind, RecallRequest, RecallScope
from lims.doors.recall_bodies import RecallBody, RecallOfBody
from lims.work.recall import Recalled, recall
from lims.work.recall_scope import covered, subject_of
from lims.work.tokens import Scope
from lims.work.views.recall_figures import (
    CaseSeen,
    RecallFigures,
    RunSeen,
    cases_of,
    figures_of,
    runs_of,
)
from lims.work.views.recalls import subject_named


@dataclass(frozen=True, slots=True)
class RecallPreview:
    """What would be taken back; of runs and of cases the first 200."""

    kind: RecallKind
    subject_id: UUID
    subject: str
    from_at: datetime | None
    to_at: datetime | None
    figures: RecallFigures
    runs: Sequence[RunSeen]
    cases: Sequence[CaseSeen]


def declare(door: Door) -> None:
    """Open the recall's endpoints."""
    door.opens(
        "POST",
        "/recalls/preview",
        scope=Scope.RECALL,
        body=RecallOfBody,
        answers=RecallPreview,
    )(preview)
    door.opens("POST", "/recalls", scope=Scope.RECALL, body=RecallBody, answers=Recalled)(take_back)


def preview(ask: Ask[RecallOfBody]) -> Answer:
    """Say what rests on it and change nothing.

    Results, people by finding, cases by state, notices and slips; the tubes that would be tested
    again, and the people who would be swabbed again.
    """
    site_id = ask.holder.site_id
    scope = _scope(ask)
    subject = subject_of(ask.session, scope, site_id=site_id)
    found = covered(ask.session, scope, site_id=site_id)
    return Answer(
        RecallPreview(
            scope.kind,
            scope.subject_id,
            subject,
            scope.from_at,
            scope.to_at,
            figures_of(ask.session, found),
            runs_of(ask.session, found),
            cases_of(ask.session, found),
        )
    )


def take_back(ask: Ask[RecallBody]) -> Answer:
    """Recall it in one transaction: results superseded, tubes tested again, corrections owed.

    The same id again changes nothing and answers the same; another recall of the same thing finds
    only what is left.
    """
    request = RecallRequest(ask.body.recall_id, _scope(ask), ask.body.reason)
    done = recall(ask.session, request, site_id=ask.holder.site_id, by=ask.by, now=ask.now)
    return Answer(done, created=not done.replayed)


def _scope(ask: Ask[RecallOfBody] | Ask[RecallBody]) -> RecallScope:
    """Raises NotFound; InvalidBody for several lots of one name, and for a span."""
    body = ask.body
    try:
        subject = UUID(body.subject)
    except ValueError:
        subject = subject_named(ask.session, body.kind, body.subject, site_id=ask.holder.site_id)
    return RecallScope(body.kind, subject, body.from_at, body.to_at)
