"""Open, confirm and withdraw F0 cases as the findings under them change."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, FindingOutcome, NoticeKind
from lims.tables import F0Case, Finding
from lims.work.case_definitions import definition_in_force
from lims.work.case_end import (
    end_by_release_tests,
    positive_again,
    reopen_what_ended_wrongly,
    same_infection,
)
from lims.work.findings import Change
from lims.work.live_cases import (
    Opening,
    live_case,
    live_cases,
    move_case,
    open_cases,
    withdrawn_cases,
)
from lims.work.lost_cases import take_up_unrefuted, without
from lims.work.tell import CaseNews, owe_case_news

_CARRIED = frozenset(
    {FindingOutcome.POSITIVE, FindingOutcome.PRESUMPTIVE, FindingOutcome.DISCORDANT}
)
_SAYS_MORE = frozenset({FindingOutcome.POSITIVE, FindingOutcome.DISCORDANT})


def follow_findings(
    session: Session, changes: Sequence[Change], *, site_id: UUID, now: datetime
) -> None:
    """Let cases follow: a positive opens or strengthens one, a lost positive withdraws it.

    Whom the sub-pools of a positive pool name has a presumptive case at once; her own test then
    carries it, or it is withdrawn.

    A person with an open case gets the evidence added, never a second case. A positive that
    turns discordant leaves its case open but no longer confirmed, and who was told hears that it
    is being checked again: the disagreement is for a reviewer. A negative
    closes one only as a final word; one that is held does so when it is released
    (``end_by_final``).
    """
    positives = _by_finding(changes, FindingOutcome.POSITIVE)
    named = _named_by_pools(session, _by_finding(changes, FindingOutcome.PRESUMPTIVE))
    with_case = _with_case(session, changes)
    concerned = [change for change in changes if change.person_id in with_case]
    news: list[CaseNews | None] = [  # a dispute before the new positive that the case could rest on
        _doubted(session, change, now)
        for change in concerned
        if change.after is FindingOutcome.DISCORDANT
    ]
    if positives and named:  # all their cases at once, so that locks never cross
        live_cases(session, {c.person_id for c in (*positives.values(), *named.values())})
    news.extend(_found(session, positives, Basis.PCR, site_id=site_id, now=now))
    news.extend(_found(session, named, Basis.POOLED_PRESUMPTIVE, site_id=site_id, now=now))
    news.extend(reopen_what_ended_wrongly(session, {c.person_id for c in concerned}, now=now))
    less = [c for c in concerned if c.after not in _SAYS_MORE]
    lost = {c.person_id for c in less if c.before in _CARRIED}
    news.extend(without(session, lost, site_id=site_id, now=now))
    negatives_gone = {
        c.specimen_id
        for c in less
        if c.before is FindingOutcome.NEGATIVE and c.after is not FindingOutcome.NEGATIVE
    }
    news.extend(take_up_unrefuted(session, negatives_gone, now=now))
    final = [
        c.specimen_id
        for c in less
        if c.after is FindingOutcome.NEGATIVE and c.before not in _CARRIED
    ]
    news.extend(_ended(session, final, now))
    owe_case_news(session, [n for n in news if n is not None], site_id=site_id, now=now)


def end_by_final(
    session: Session, specimens: Sequence[UUID], *, site_id: UUID, now: datetime
) -> None:
    """These swabs' words have just been released: the negatives among them that a rapid positive
    had asked for refute its case, release tests close theirs, and everyone who was told hears it.
    Raises NoDesk."""
    owe_case_news(session, _ended(session, specimens, now), site_id=site_id, now=now)


def _ended(session: Session, specimens: Sequence[UUID], now: datetime) -> list[CaseNews]:
    refuted = _not_confirmed(session, specimens, now)
    return [*refuted, *end_by_release_tests(session, specimens, now=now)]


def _by_finding(changes: Sequence[Change], outcome: FindingOutcome) -> dict[UUID, Change]:
    return {
        change.finding_id: change
        for change in changes
        if change.after is outcome and change.finding_id is not None
    }


def _named_by_pools(session: Session, presumptive: dict[UUID, Change]) -> dict[UUID, Change]:
    """Without the positive strips: their cases follow the definition in force (strip_evidence)."""
    if not presumptive:
        return {}
    strips = frozenset(
        session.scalars(
            text("SELECT specimen_id FROM rapid_test WHERE specimen_id = ANY(:swabs)"),
            {"swabs": [change.specimen_id for change in presumptive.values()]},
        )
    )
    return {f: change for f, change in presumptive.items() if change.specimen_id not in strips}


def _with_case(session: Session, changes: Sequence[Change]) -> frozenset[UUID]:
    people = [change.person_id for change in changes]
    return frozenset(session.scalars(select(F0Case.person_id).where(F0Case.person_id.in_(people))))


def change_case(
    session: Session, case: F0Case, wanted: CaseState, kind: NoticeKind, *, now: datetime
) -> CaseNews:
    """Move a case by the table, or keep its state on another basis; everyone who is told hears."""
    if wanted != case.state:
        move_case(case, wanted, now=now)
    case.sequence += 1
    case.changed_at = now
    session.flush()
    return CaseNews(case.id, case.person_id, kind, case.sequence, wanted, Basis(case.basis))


def rest_on_pcr(session: Session, case: F0Case, finding_id: UUID, *, found_at: datetime) -> None:
    """A presumptive basis gives way to the PCR once a reviewer has signed that; the definition of
    the day on which it was found judges it."""
    if case.basis in {Basis.ANTIGEN_PRESUMPTIVE, Basis.POOLED_PRESUMPTIVE}:
        case.basis = Basis.PCR
        case.definition = definition_in_force(session, found_at, site_id=case.site_id).name
        case.finding_id = finding_id


def _found(
    session: Session,
    positives: Mapping[UUID, Change],
    basis: Basis,
    *,
    site_id: UUID,
    now: datetime,
) -> list[CaseNews]:
    """By finding. All positives of a run together: one plate of retests names thirty people."""
    if not positives:
        return []
    live = live_cases(session, {change.person_id for change in positives.values()})
    new = {f: change for f, change in positives.items() if change.person_id not in live}
    again = withdrawn_cases(session, {c.specimen_id: c.person_id for c in new.values()})
    still = same_infection(session, [f for f, c in new.items() if c.specimen_id not in again])
    news = [positive_again(session, case, now=now) for case in sorted(set(still.values()))]
    new = {f: change for f, change in new.items() if f not in still}
    for finding_id, change in positives.items():
        case = live.get(change.person_id)
        if case is None:
            continue
        if case.basis == Basis.POOLED_PRESUMPTIVE and basis is Basis.PCR:
            news.append(_found_alone(session, case, finding_id, now))
        else:
            _rest_on_current(session, case, finding_id)
    one_a_person: dict[UUID, UUID] = {}
    for finding_id, change in sorted(
        new.items(), key=lambda item: item[1].specimen_id not in again
    ):
        one_a_person.setdefault(change.person_id, finding_id)
    openings = []
    for person_id, finding_id in one_a_person.items():
        case = again.get(new[finding_id].specimen_id)
        if case is not None:
            news.append(_taken_up(session, case, finding_id, basis, now))
        else:
            judged = definition_in_force(session, now, site_id=site_id).name
            openings.append(Opening(person_id, finding_id, basis, judged))
    return [*news, *open_cases(session, openings, site_id=site_id, now=now)]


def _rest_on_current(session: Session, case: F0Case, finding_id: UUID) -> None:
    """A case that a strip gave waits for the reviewer's word on its PCR, which confirms it."""
    if case.basis == Basis.ANTIGEN_PRESUMPTIVE:
        return
    if not session.get_one(Finding, case.finding_id, populate_existing=True).current:
        case.finding_id = finding_id


def _found_alone(session: Session, case: F0Case, finding_id: UUID, now: datetime) -> CaseNews:
    """Named by her pool, and now her own test has found it; a reviewer's word confirms it."""
    rest_on_pcr(session, case, finding_id, found_at=now)
    return change_case(session, case, CaseState(case.state), NoticeKind.CASE_CORRECTED, now=now)


def _taken_up(
    session: Session, case: F0Case, finding_id: UUID, basis: Basis, now: datetime
) -> CaseNews:
    case.finding_id = finding_id
    case.basis = basis
    case.definition = definition_in_force(session, now, site_id=case.site_id).name
    return change_case(session, case, CaseState.PRESUMPTIVE, NoticeKind.CASE_CORRECTED, now=now)


def _doubted(session: Session, change: Change, now: datetime) -> CaseNews | None:
    """A confirmed case whose own positive is disputed now is presumptive until it is settled."""
    case = live_case(session, change.person_id)
    if case is None or case.state != CaseState.CONFIRMED or case.basis != Basis.PCR:
        return None
    rests_on = session.get_one(Finding, case.finding_id, populate_existing=True)
    if rests_on.specimen_id != change.specimen_id:
        return None
    return change_case(session, case, CaseState.PRESUMPTIVE, NoticeKind.CASE_CORRECTED, now=now)


def _not_confirmed(session: Session, specimens: Sequence[UUID], now: datetime) -> list[CaseNews]:
    """S19: the PCR asked for by a rapid positive came back negative, and nothing holds that word.

    Isolation ends with it, so that a negative which may be another person's (its identity is in
    doubt), or which contradicts what was final, waits for its release first.
    """
    if not specimens:
        return []
    news = []
    for row in session.execute(_REFUTED, {"specimens": list(specimens)}).all():
        case = live_case(session, row.person_id)
        if case is None or case.basis != Basis.ANTIGEN_PRESUMPTIVE:
            continue
        if _has_a_tube_of_its_own(session, case, row.specimen_id):
            continue
        ended = CaseState.NOT_CONFIRMED, NoticeKind.CASE_CORRECTED
        news.append(change_case(session, case, *ended, now=now))
    return news


def _has_a_tube_of_its_own(session: Session, case: F0Case, answered: UUID) -> bool:
    """Another PCR swab than the answered one was taken for the strip that the case rests on."""
    asked = session.scalar(_ASKED, {"finding": case.finding_id})
    return asked is not None and asked != answered


# In the order of people, as release.py takes their cases.
_REFUTED = text("""
SELECT f.specimen_id, f.person_id FROM finding f
WHERE f.specimen_id = ANY(:specimens) AND f.current
  AND f.outcome = 'negative' AND f.status IN ('F', 'C')
  AND EXISTS (SELECT FROM tube_specimen ts JOIN test_order o ON o.tube_id = ts.tube_id
              WHERE ts.specimen_id = f.specimen_id AND o.why = 'confirm')
ORDER BY f.person_id, f.specimen_id
""")

_ASKED = text("""
SELECT r.pcr_specimen_id FROM finding f JOIN rapid_test r ON r.specimen_id = f.specimen_id
WHERE f.id = :finding
""")
