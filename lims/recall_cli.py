"""``lims recall``: what rests on a run, a lot or an analyser's days, and taking it back."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from lims.console import ACTOR, as_json, counted, say, settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from lims.domain.recall import RecallScope

_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d"]


@click.command()
@click.option("--plate", help="The run of this plate.")
@click.option("--reagent-lot", help="Every run that was made with this lot.")
@click.option("--kit-lot", help="Every rapid test of this lot.")
@click.option("--instrument", help="What this analyser said, from --since.")
@click.option("--since", type=click.DateTime(_FORMATS), help="By the laboratory's clock.")
@click.option("--until", type=click.DateTime(_FORMATS), help="Left out: it is still going on.")
@click.option("--preview", is_flag=True, help="Say what rests on it and change nothing.")
@click.option("--reason", help="Why; everyone who was told can read it.")
@click.option("--id", "recall_id", type=click.UUID, help="Said again, nothing is recalled twice.")
@as_json
def recall(
    *,
    plate: str | None,
    reagent_lot: str | None,
    kit_lot: str | None,
    instrument: str | None,
    since: datetime | None,
    until: datetime | None,
    preview: bool,
    reason: str | None,
    recall_id: UUID | None,
    as_json: bool,
) -> None:
    """Recall one run, lot or analyser: --preview first, then with a --reason."""
    from lims.db.ids import uuid7
    from lims.db.laboratory import utc_now
    from lims.domain.recall import RecallRequest
    from lims.opening import open_laboratory
    from lims.work import recall as verb
    from lims.work.recall_scope import covered, subject_of
    from lims.work.views.recall_figures import figures_of

    named = {"run": plate, "reagent_lot": reagent_lot, "kit_lot": kit_lot, "instrument": instrument}
    said = [(kind, name) for kind, name in named.items() if name]
    if len(said) != 1:
        raise click.UsageError("Give one of --plate, --reagent-lot, --kit-lot, --instrument.")
    if preview == bool(reason):
        raise click.UsageError("Give --preview to look, or --reason to recall.")
    ((kind, name),) = said
    chosen = settings()
    span = tuple(at and at.replace(tzinfo=chosen.timezone) for at in (since, until))
    laboratory = open_laboratory(chosen, name="lims recall")
    try:
        with laboratory.sessions.begin() as session:
            scope = _scope(session, kind, name, span, laboratory.site_id)
            if preview:
                subject = subject_of(session, scope, site_id=laboratory.site_id)
                found = covered(session, scope, site_id=laboratory.site_id)
                answer: dict[str, Any] = {"subject": subject, **asdict(figures_of(session, found))}
            else:
                request = RecallRequest(recall_id or uuid7(), scope, reason or "")
                done = verb.recall(
                    session, request, site_id=laboratory.site_id, by=ACTOR, now=utc_now()
                )
                answer = {
                    "recall_id": str(done.recall_id),
                    "replayed": done.replayed,
                    "subject": done.subject,
                    **asdict(done.figures),
                }
    finally:
        laboratory.engine.dispose()
    say(answer, as_json=as_json, human=lambda a: _lines(a, preview=preview))


def _scope(
    session: "Session",
    kind: str,
    name: str,
    span: tuple[datetime | None, ...],
    site_id: UUID,
) -> "RecallScope":
    """Raises ClickException with the names alike; InvalidBody for several of a name, and a span."""
    from lims.domain.recall import RecallKind, RecallScope
    from lims.domain.refusals import NotFound
    from lims.work.views.recalls import names_like, subject_named

    what = RecallKind(kind)
    try:
        subject = subject_named(session, what, name, site_id=site_id)
    except NotFound as refusal:
        alike = ", ".join(names_like(session, what, name, site_id=site_id))
        perhaps = f" Perhaps: {alike}." if alike else ""
        raise click.ClickException(f"{refusal}{perhaps}") from refusal
    return RecallScope(what, subject, span[0], span[1])


def _lines(answer: dict[str, Any], *, preview: bool) -> str:
    """What stands on it, a line each."""
    begun = "Rests on" if preview else "Recalled"
    of = ", ".join(f"{n} {word}" for word, n in (answer["findings"] or {}).items())
    cases = ", ".join(f"{n} {word}" for word, n in (answer["cases"] or {}).items())
    return "\n".join(
        (
            f"{begun} {answer['subject']}:",
            f"  {counted(answer['runs'], 'run')}, {counted(answer['results'], 'result')}, "
            f"{counted(answer['rapid_tests'], 'rapid test')}",
            f"  {counted(answer['people'], 'person', 'people')}" + (f": {of}" if of else ""),
            f"  {counted(sum((answer['cases'] or {}).values()), 'F0 case')}"
            + (f": {cases}; {answer['claimed']} claimed" if cases else ""),
            f"  {counted(answer['told'], 'notice')} to {counted(answer['teams'], 'team')}, "
            f"{counted(answer['slips'], 'slip')}",
            f"  {counted(answer['tubes_again'], 'tube')} to test again, "
            f"{answer['tubes_spent'] + answer['reswabs']} to swab again",
        )
    )
