"""Release findings that waited for a reviewer: one or many, in one transaction, each for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import CaseState, ResultStatus
from lims.domain.outcomes import FindingOutcome, NoticeKind
from lims.domain.refusals import IllegalMove, NotFound
from lims.domain.signing import Asked, Came, Signed, seen_of
from lims.domain.verification import SIGNABLE
from lims.tables import Finding, Site
from lims.work.audit import record
from lims.work.cases import change_case, end_by_final, rest_on_pcr
from lims.work.evidence import lock_components
from lims.work.live_cases import live_case
from lims.work.owe_findings import owe_findings
from lims.work.tell import CaseNews, owe_case_news

MOST_AT_ONCE = 500
_TOLD = frozenset({ResultStatus.FINAL, ResultStatus.CORRECTED})


@dataclass(frozen=True, slots=True)
class _Desk:
    """Who signs, when, where, and under which policy."""

    site_id: UUID
    by: str
    now: datetime
    second_reviewer: bool
    identity_holds: bool


@dataclass(frozen=True, slots=True)
class _Past:
    told_before: bool
    identity_open: bool


def release(
    session: Session, asked: Sequence[Asked], *, site_id: UUID, by: str, now: datetime
) -> tuple[Signed, ...]:
    """Say the word on each finding that still is as the reviewer saw it.

    A positive is only signed, and waits for another person, where the site wants
    a second reviewer. What changed meanwhile, or was another's, is left alone and
    said. Cases are confirmed or not confirmed, and everyone told hears it, with the final word.
    """
    wanted = {one.finding_id: one.seen for one in asked}
    findings = _locked(session, list(wanted), site_id=site_id)
    past = _past(session, list(findings))
    site = session.get_one(Site, site_id, populate_existing=True)
    desk = _Desk(site_id, by, now, site.second_reviewer, site.identity_holds)
    signed: dict[UUID, Signed] = {}
    final: list[Finding] = []
    for finding_id in sorted(wanted):
        finding = findings.get(finding_id)
        if finding is None:
            signed[finding_id] = Signed(finding_id, Came.UNKNOWN)
            continue
        came = _what_becomes_of(finding, wanted[finding_id], past[finding_id], desk)
        if came is Came.SIGNED:
            finding.signed_by, finding.signed_at = by, now
            _record(session, desk, finding, "sign_finding")
        elif came is Came.RELEASED:
            _finish(session, desk, finding, told_before=past[finding_id].told_before)
            final.append(finding)
        signed[finding_id] = _stands(session, finding, came)
    _results_final(session, final)
    session.flush()
    cases = _confirm(session, final, desk)
    end_by_final(session, [one.specimen_id for one in final], site_id=site_id, now=now)
    owe_findings(session, [one.specimen_id for one in final], site_id=site_id, now=now)
    return tuple(_with_case(signed[finding_id], cases) for finding_id in wanted)


def withdraw_signature(
    session: Session, finding_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Take back one's own first signature while the second is awaited.

    Without one, changes nothing. Raises NotFound; IllegalMove when the word is
    final, or the signature another person's.
    """
    finding = _locked(session, [finding_id], site_id=site_id).get(finding_id)
    if finding is None:
        raise NotFound(came=str(finding_id), where="finding_id")
    if finding.signed_by is None:
        return
    if finding.status in _TOLD or finding.signed_by != by:
        raise IllegalMove(
            source="released" if finding.status in _TOLD else f"signed by {finding.signed_by}",
            target="not signed",
            allowed=[],
            where=f"finding {finding_id}",
        )
    finding.signed_by = finding.signed_at = None
    desk = _Desk(site_id, by, now, second_reviewer=True, identity_holds=False)
    _record(session, desk, finding, "withdraw_signature")
    session.flush()


def _locked(session: Session, ids: Sequence[UUID], *, site_id: UUID) -> Mapping[UUID, Finding]:
    """Lock what is known of the swabs, then read the findings: their evidence cannot change."""
    tubes = session.execute(
        text(
            "SELECT DISTINCT ts.tube_id FROM finding f JOIN tube_specimen ts"
            " ON ts.specimen_id = f.specimen_id WHERE f.id = ANY(:ids) AND f.site_id = :site"
        ),
        {"ids": list(ids), "site": site_id},
    )
    lock_components(session, list(tubes.scalars()))
    rows = session.scalars(
        select(Finding)
        .where(Finding.id.in_(ids), Finding.site_id == site_id)
        .order_by(Finding.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _past(session: Session, ids: Sequence[UUID]) -> Mapping[UUID, _Past]:
    rows = session.execute(
        text(
            "SELECT f.id, p.identity_conflict IS NOT NULL AS open,"
            " EXISTS (SELECT FROM finding g WHERE g.specimen_id = f.specimen_id AND g.id <> f.id"
            "         AND g.status IN ('F', 'C')) AS told"
            " FROM finding f JOIN person p ON p.id = f.person_id WHERE f.id = ANY(:ids)"
        ),
        {"ids": list(ids)},
    )
    return {row.id: _Past(row.told, row.open) for row in rows}


def _what_becomes_of(finding: Finding, seen: str | None, past: _Past, desk: _Desk) -> Came:
    """The first of these that is true of it; only then is it signed or released."""
    if not finding.current or finding.status in _TOLD:
        return Came.ALREADY if finding.current else Came.CHANGED
    wants_two = desk.second_reviewer and finding.outcome == FindingOutcome.POSITIVE
    shown = seen_of(
        signed_by=finding.signed_by, holds=finding.holds, identity_open=past.identity_open
    )
    against = {
        Came.NOT_SIGNABLE: finding.outcome not in SIGNABLE,
        Came.SAME_PERSON: wants_two and finding.signed_by == desk.by,
        Came.IDENTITY: desk.identity_holds and past.identity_open,
        Came.CHANGED: seen is not None and seen != shown,
        Came.SIGNED: wants_two and finding.signed_by is None,
    }
    return next((came for came, true in against.items() if true), Came.RELEASED)


def _finish(session: Session, desk: _Desk, finding: Finding, *, told_before: bool) -> None:
    """A word that replaces another final one is a correction (HL7 table 0085)."""
    finding.status = ResultStatus.CORRECTED if told_before else ResultStatus.FINAL
    finding.released_at, finding.released_by = desk.now, desk.by
    if finding.signed_by == desk.by:  # the site has stopped asking for two people
        finding.signed_at = finding.signed_by = None
    _record(session, desk, finding, f"release_{finding.outcome}")


def _record(session: Session, desk: _Desk, finding: Finding, verb: str) -> None:
    record(
        session,
        site_id=desk.site_id,
        actor=desk.by,
        verb=verb,
        subject=str(finding.id),
        now=desk.now,
        status=finding.status,
    )


def _results_final(session: Session, final: Sequence[Finding]) -> None:
    ids = sorted({result for finding in final for result in finding.evidence})
    if ids:
        session.execute(
            text("UPDATE result SET status = 'F' WHERE id = ANY(:ids) AND status = 'P'"),
            {"ids": ids},
        )


def _confirm(session: Session, final: Sequence[Finding], desk: _Desk) -> Mapping[UUID, UUID]:
    """Confirm the cases of released positives; every released person's live case, by person."""
    news: list[CaseNews] = []
    cases: dict[UUID, UUID] = {}
    for finding in sorted(final, key=lambda one: one.person_id):
        if finding.outcome != FindingOutcome.POSITIVE:
            continue
        case = live_case(session, finding.person_id)
        if case is None:
            continue
        cases[finding.person_id] = case.id
        rest_on_pcr(session, case, finding.id, found_at=finding.created_at)
        if case.state == CaseState.PRESUMPTIVE:
            confirmed = CaseState.CONFIRMED, NoticeKind.CASE_CONFIRMED
            news.append(change_case(session, case, *confirmed, now=desk.now))
    owe_case_news(session, news, site_id=desk.site_id, now=desk.now)
    return cases


def _stands(session: Session, finding: Finding, came: Came) -> Signed:
    by, at = finding.released_by, finding.released_at
    outcome: str | None = finding.outcome
    status: str | None = finding.status
    if came in {Came.SIGNED, Came.SAME_PERSON} or (came is Came.CHANGED and finding.current):
        by, at = finding.signed_by, finding.signed_at
    elif came is Came.CHANGED:
        newest = session.execute(_NEWEST, {"specimen": finding.specimen_id}).one_or_none()
        by, at = (newest.by, newest.at) if newest else (None, None)
        outcome, status = (newest.outcome, newest.status) if newest else (None, None)
    return Signed(finding.id, came, status, outcome, finding.person_id, by, at)


_NEWEST = text("""
SELECT outcome, status, released_by AS by, coalesce(released_at, created_at) AS at
FROM finding WHERE specimen_id = :specimen AND current
""")


def _with_case(signed: Signed, cases: Mapping[UUID, UUID]) -> Signed:
    case = cases.get(signed.person_id) if signed.person_id else None
    return signed if case is None else replace(signed, case_id=case)
