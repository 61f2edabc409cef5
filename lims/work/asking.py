"""What registers are asked about people now, and what becomes of their answers.

No network here. One sender at a time has a register, by a lease that is a time: a sender that dies
between an answer and its writing down loses it, and the same is asked again. An answer to what is
no longer the question (another number, name or birth meanwhile) is not taken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.db.many import rows_as_json
from lims.domain.asking import AT_ONCE, Answer, QuestionKind
from lims.domain.exchange import DestinationKind
from lims.domain.retries import RetryPlan
from lims.work.ask_whom import BY_ITSELF, overtake, owe
from lims.work.audit import record
from lims.work.fill_doses import fill_doses
from lims.work.identity_stamp import ASKABLE, STAMP, TRIAGED
from lims.work.outbound import Came, Leased, end_turn, kept


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a register, and no more than that."""

    question_id: UUID
    national_id: str
    name: str
    birth_year: int | None
    birth_date: date | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one question; ``answer`` where it was taken, else the register's words."""

    question_id: UUID
    came: Came
    answer: Answer | None = None
    said: str = ""


def lease(
    session: Session, kind: DestinationKind, now: datetime, lease_s: float, *, site_id: UUID
) -> Leased | None:
    """A register of this kind that is to be asked something now and that nobody else asks."""
    row = session.execute(
        _LEASE,
        {"kind": str(kind), "site": site_id, "now": now, "until": now + timedelta(seconds=lease_s)},
    ).one_or_none()
    if row is None:
        return None
    return Leased(row.id, row.name, kind, row.address, row.options, row.leased_until)


def to_ask(
    session: Session, leased: Leased, kind: QuestionKind, *, site_id: UUID, now: datetime
) -> Sequence[Question]:
    """The next questions, at most 100, each as its person is now; that they are asked is audited.

    Who has changed meanwhile, or is no longer triaged, is not asked about (look finds them anew).
    """
    while True:
        rows = session.execute(
            _DUE,
            {
                "destination": leased.destination_id,
                "now": now,
                "most": AT_ONCE,
                "kind": str(kind),
                "itself": BY_ITSELF,
            },
        ).all()
        fresh = [row for row in rows if row.stands]
        _give_up(session, leased, kind, [row for row in rows if not row.stands], now=now)
        if fresh or not rows:
            break
    if fresh:
        asked = [row.id for row in fresh]
        session.execute(_SENT, {"questions": asked, "now": now})
        record(
            session,
            site_id=site_id,
            actor=BY_ITSELF,
            verb="asked-about-people",
            subject=str(leased.destination_id),
            now=now,
            kind=str(kind),
            people=[str(row.person_id) for row in fresh],
        )
    return [
        Question(row.id, row.national_id, row.name, row.birth_year, row.birth_date) for row in fresh
    ]


def keep_answers(
    session: Session,
    leased: Leased,
    kind: QuestionKind,
    heard: Sequence[Heard],
    now: datetime,
    *,
    site_id: UUID,
    away: str | None,
    plan: RetryPlan,
    rng: Random,
    keep_until: datetime | None = None,
) -> bool:
    """Write a turn down, and what follows from it; whether more may be asked now."""
    answered = [one for one in heard if one.answer is not None]
    if answered:
        rows = [_answer(one.question_id, one.answer) for one in answered if one.answer]
        taken = session.execute(_ANSWERED, {"rows": rows_as_json(rows), "now": now}).scalars().all()
        if kind is QuestionKind.DOSES and taken:
            fill_doses(session, site_id=site_id, now=now, people=sorted(set(taken)))
        late = session.execute(_LATE, {"questions": [one.question_id for one in answered]}).all()
        _give_up(session, leased, kind, late, now=now)
    refused = [one for one in heard if one.answer is None]
    if refused:
        _refuse(session, refused, now, plan=plan, rng=rng)
    if away is None and refused and not answered and all(r.came is Came.NOT_NOW for r in refused):
        away = refused[-1].said or "answers nothing now"
    return end_turn(
        session,
        leased,
        now,
        away=away,
        heard=away is None and bool(heard),
        rng=rng,
        keep_until=keep_until,
    )


def ask_refused_again(session: Session, destination_id: UUID, *, by: str, now: datetime) -> int:
    """Ask once more what a register refused, at most 10,000 at once: how many."""
    rows = session.execute(_REFUSED, {"destination": destination_id}).all()
    if not rows:
        return 0
    asked = owe(
        session,
        destination_id,
        QuestionKind(rows[0].kind),
        [row.person_id for row in rows],
        by=by,
        now=now,
    )
    record(
        session,
        site_id=rows[0].site_id,
        actor=by,
        verb="questions-asked-again",
        subject=str(destination_id),
        now=now,
        rows=asked,
    )
    return asked


def _give_up(
    session: Session,
    leased: Leased,
    kind: QuestionKind,
    rows: Sequence[Row[Any]],
    *,
    now: datetime,
) -> None:
    """These are no longer the question. Whom somebody wanted asked about is, as they are now."""
    if not rows:
        return
    overtake(session, leased.destination_id, [row.person_id for row in rows], now=now)
    wanted: dict[str, list[UUID]] = {}
    for row in rows:
        if row.asked_by != BY_ITSELF:
            wanted.setdefault(row.asked_by, []).append(row.person_id)
    for by, people in wanted.items():
        owe(session, leased.destination_id, kind, people, by=by, now=now)


def _answer(question_id: UUID, answer: Answer) -> Mapping[str, object]:
    conflict = answer.verdict == "conflict"
    return {
        "id": question_id,
        "verdict": str(answer.verdict),
        "differs": sorted(answer.differs) if conflict else None,
        "doses": answer.doses,
        "dates": None if answer.doses is None else sorted(answer.dose_dates),
    }


def _refuse(
    session: Session, refused: Sequence[Heard], now: datetime, *, plan: RetryPlan, rng: Random
) -> None:
    tried = {
        row.id: row.attempts
        for row in session.execute(_TRIED, {"questions": [one.question_id for one in refused]})
    }
    rows = []
    for one in refused:
        if one.question_id not in tried:
            continue
        wait_s = None
        if one.came is Came.NOT_NOW:
            wait_s = plan.wait_s(tried[one.question_id] + 1, rng)
        rows.append(
            {
                "id": one.question_id,
                "said": kept(one.said),
                "later": None if wait_s is None else now + timedelta(seconds=wait_s),
            }
        )
    session.execute(_REFUSE, {"rows": rows_as_json(rows), "now": now})


_DUE_NOW: Final = """
    SELECT q.* FROM person_question q
    WHERE q.destination_id = {destination} AND q.state = 'owed' AND q.next_attempt_at <= :now"""

_LEASE = text(f"""
WITH next AS (
    SELECT d.id FROM destination d
    WHERE d.site_id = :site AND d.kind = :kind AND d.stopped_at IS NULL
      AND (d.leased_until IS NULL OR d.leased_until <= :now)
      AND (d.next_attempt_at IS NULL OR d.next_attempt_at <= :now)
      AND EXISTS ({_DUE_NOW.format(destination="d.id")})
    ORDER BY greatest(d.answered_at, d.failing_since) NULLS FIRST, d.id
    LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE destination d SET leased_until = :until FROM next WHERE d.id = next.id
RETURNING d.id, d.name, d.address, d.options, d.leased_until
""")  # noqa: S608 - put together from constants

_DUE = text(f"""
SELECT q.id, q.person_id, q.asked_by, p.national_id, p.name, p.birth_year, p.birth_date,
       {ASKABLE} AND q.stamp = {STAMP}
       AND (:kind <> 'doses' OR q.asked_by <> :itself OR {TRIAGED}) AS stands
FROM ({_DUE_NOW.format(destination=":destination")}
      ORDER BY q.next_attempt_at, q.id LIMIT :most) q
JOIN person p ON p.id = q.person_id ORDER BY q.next_attempt_at, q.id
""")  # noqa: S608 - put together from constants

_SENT = text("UPDATE person_question SET sent_at = :now WHERE id = ANY(:questions)")

_ANSWERED = text(f"""
UPDATE person_question q
SET state = 'answered', verdict = g.verdict, differs = g.differs, doses = g.doses,
    dose_dates = g.dates, said = NULL, ended_at = :now, attempts = q.attempts + 1
FROM jsonb_to_recordset(cast(:rows AS jsonb))
     AS g(id uuid, verdict text, differs text[], doses int, dates date[]), person p
WHERE q.id = g.id AND q.state = 'owed' AND p.id = q.person_id AND {ASKABLE} AND q.stamp = {STAMP}
RETURNING q.person_id
""")  # noqa: S608 - put together from constants

_LATE = text("""
SELECT person_id, asked_by FROM person_question WHERE id = ANY(:questions) AND state = 'owed'
""")

_TRIED = text("""
SELECT id, attempts FROM person_question WHERE id = ANY(:questions) AND state = 'owed'
ORDER BY id FOR UPDATE
""")

_REFUSE = text("""
UPDATE person_question q
SET state = CASE WHEN g.later IS NULL THEN 'refused' ELSE 'owed' END,
    ended_at = CASE WHEN g.later IS NULL THEN cast(:now AS timestamptz) END,
    next_attempt_at = coalesce(g.later, q.next_attempt_at), said = g.said,
    attempts = q.attempts + 1
FROM jsonb_to_recordset(cast(:rows AS jsonb)) AS g(id uuid, said text, later timestamptz)
WHERE q.id = g.id AND q.state = 'owed'
""")

_REFUSED = text("""
SELECT person_id, site_id, kind FROM person_question
WHERE destination_id = :destination AND state = 'refused' AND current LIMIT 10000
""")
