"""The end of the day: the database against the truth, the receipts and itself.

tubes = results + waiting + rejected; positives = cases; notices = delivered + pending; nothing lost
or doubled; every true positive found or explained. Each difference is listed by its barcode. The
statements are written here a second time on purpose, and not taken from the code that is tested.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from lims.demo.ledger import Ledger
from lims.demo.receiver import Entry
from lims.demo.reconcile import Reckoning, StillOpen, reconcile
from lims.demo.truth import Commune
from lims.work.views import reconcile as closing


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up: a barcode, a case or a notice, and what is wrong."""

    what: str
    subject: str


@dataclass(frozen=True, slots=True)
class Equation:
    """``whole`` must be the sum of ``parts``."""

    says: str
    whole: int
    parts: Mapping[str, int]

    @property
    def holds(self) -> bool:
        return self.whole == sum(self.parts.values())


@dataclass(frozen=True)
class DayReckoned:
    """The verdict on loss, doubling and truth; ``explained`` are chance's differences."""

    truth: Reckoning
    equations: tuple[Equation, ...]
    differences: tuple[Difference, ...]
    explained: tuple[Difference, ...]
    waiting: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Every equation holds, nothing is lost, doubled or unexplained."""
        return not self.differences and all(e.holds for e in self.equations)

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        truth = self.truth
        return {
            "clean": self.clean,
            "equations": [
                {"says": e.says, "whole": e.whole, "parts": dict(e.parts), "holds": e.holds}
                for e in self.equations
            ],
            "lost": len(truth.lost),
            "doubled": len(truth.duplicated),
            "people": truth.people,
            "true_positives_found": truth.true_positives,
            "true_positives_missed_explained": sum(d.why is not None for d in truth.missed),
            "false_positives_explained": sum(d.why is not None for d in truth.false),
            "unexplained": len(truth.unexplained),
            "pools_resolved": dict(truth.resolved),
            "sub_pools": truth.sub_pools,
            "differences": [{"what": d.what, "subject": d.subject} for d in self.differences],
            "explained": [{"what": d.what, "subject": d.subject} for d in self.explained],
            "waiting": dict(self.waiting),
        }


def reckon_day(
    session: Session,
    commune: Commune,
    ledger: Ledger,
    told: Sequence[Entry],
    *,
    site_id: UUID,
    since: datetime,
    until: datetime,
) -> DayReckoned:
    """Reads only. ``told`` is the book of the webhooks' receiver."""
    tubes = session.execute(_TUBES).all()
    waiting = Counter(row.stage for row in tubes if row.place == "waiting")
    open_swabs = {swab: row.stage for row in tubes if row.stage for swab in row.swabs}
    pending = frozenset(session.execute(_PENDING).scalars())
    truth = reconcile(session, commune, ledger, told, StillOpen(open_swabs, pending))
    positives = session.execute(_POSITIVES).all()
    swabs = session.execute(_SWABS).scalars().all()
    day = closing.reconcile(session, site_id=site_id, since=since, until=until)
    return DayReckoned(
        truth=truth,
        equations=(
            _everybody_registered(commune, ledger, swabs),
            _every_tube_stands(ledger, Counter(row.place for row in tubes)),
            _every_sub_pool_stands(ledger, session.execute(_SUB_POOLS).one()),
            *_positives_told(commune, truth, positives, day),
        ),
        differences=(
            *_strangers(ledger, tubes, swabs),
            *(Difference(row.what, row.barcode) for row in positives if row.what),
            *_unexplained(truth),
            *(Difference(f"closing: {d.why}", d.subject) for d in day.differences),
        ),
        explained=(
            *(Difference(f"missed: {d.why}", d.barcode) for d in truth.missed if d.why),
            *(Difference(f"false: {d.why}", d.barcode) for d in truth.false if d.why),
        ),
        waiting=dict(waiting),
    )


def _everybody_registered(commune: Commune, ledger: Ledger, swabs: Sequence[UUID]) -> Equation:
    return Equation(
        "people of the plan = registered",
        len(commune.villagers),
        {"registered": len({ledger.swabs[swab] for swab in swabs if swab in ledger.swabs})},
    )


def _every_tube_stands(ledger: Ledger, places: Mapping[str, int]) -> Equation:
    own = sum(label[2] != "P" for label in ledger.labelled - ledger.sub_pools)
    return Equation(
        "tubes registered = results + waiting + rejected",
        own,
        {name: places[name] for name in ("results", "waiting", "rejected")},
    )


def _every_sub_pool_stands(ledger: Ledger, stand: Row[Any]) -> Equation:
    """Those pipetted, by the receipts; one whose answer nothing needs any more is not measured."""
    return Equation(
        "sub-pools prepared = measured + waiting + not needed any more",
        len(ledger.sub_pools),
        {"measured": stand.measured, "waiting": stand.waiting, "not needed": stand.unneeded},
    )


def _positives_told(
    commune: Commune,
    truth: Reckoning,
    positives: Sequence[Row[Any]],
    day: closing.Reconciliation,
) -> tuple[Equation, ...]:
    """From the infected of the plan to the notices delivered."""
    return (
        Equation(
            "people with a positive finding = people with a case",
            sum(row.positive for row in positives),
            {"cases": sum(row.positive and row.has_case for row in positives)},
        ),
        Equation(
            "notices owed = delivered + pending",
            truth.notices_owed,
            {"delivered": truth.notices_delivered, "pending": truth.notices_pending},
        ),
        Equation(
            "case.opened notices due by routing = owed",
            day.told.due,
            {"owed": day.told.owed},
        ),
        Equation(
            "infected people = found + explained",
            len(commune.infected),
            {
                "found": truth.true_positives,
                "explained": sum(d.why is not None for d in truth.missed),
            },
        ),
    )


def _strangers(
    ledger: Ledger, tubes: Sequence[Row[Any]], swabs: Sequence[UUID]
) -> Iterator[Difference]:
    """Tubes that are nowhere; tubes and swabs that the plan's desks never registered."""
    yield from (Difference("a tube that is nowhere", r.barcode) for r in tubes if r.place == "lost")
    for row in tubes:
        if row.barcode not in ledger.labelled:
            yield Difference("a tube that nobody registered", row.barcode)
    for swab in swabs:
        if swab not in ledger.swabs:
            yield Difference("a swab that nobody registered", str(swab))


def _unexplained(truth: Reckoning) -> Iterator[Difference]:
    yield from (Difference("lost", what) for what in truth.lost)
    yield from (Difference("doubled", what) for what in truth.duplicated)
    yield from (Difference("missed, unexplained", d.barcode) for d in truth.missed if d.why is None)
    yield from (Difference("false, unexplained", d.barcode) for d in truth.false if d.why is None)


# A tube is answered when each of its swabs has a finding that asks for nothing more of the tube, or
# its person was asked for another swab (a family's tube cannot say who); it waits when something
# is still to be done with it or with a pool it is in.
_TUBES = text("""
WITH own AS (
    SELECT t.id, t.barcode, t.kind, t.received_at, t.rejected_at,
           coalesce(c.pool_size, 1) AS pool_size
    FROM tube t LEFT JOIN campaign c ON c.id = t.campaign_id WHERE t.kind <> 'lab_pool'
), known AS (
    SELECT o.id, bool_and(coalesce(f.outcome IN
               ('negative', 'positive', 'presumptive', 'recollect', 'discordant'), false)
               OR EXISTS (SELECT FROM recollection r
                          WHERE r.specimen_id = ts.specimen_id AND r.state <> 'cancelled')) AS told,
           array_remove(array_agg(ts.specimen_id), NULL) AS swabs
    FROM own o LEFT JOIN tube_specimen ts ON ts.tube_id = o.id
    LEFT JOIN finding f ON f.specimen_id = ts.specimen_id AND f.current
    GROUP BY o.id
), tested AS (
    SELECT o.id, bool_or(t.state = 'queued') AS queued, bool_or(t.state = 'plated') AS plated,
           bool_or(r.held) AS held
    FROM own o JOIN tube_specimen ts ON ts.tube_id = o.id
    JOIN tube_specimen beside ON beside.specimen_id = ts.specimen_id
    JOIN test_order t ON t.tube_id = beside.tube_id AND t.state <> 'cancelled'
    LEFT JOIN result r ON r.order_id = t.id AND r.current
    GROUP BY o.id
), staged AS (
    SELECT o.barcode, o.rejected_at, k.told, k.swabs,
           CASE WHEN o.received_at IS NULL AND o.rejected_at IS NULL THEN 'reception'
                WHEN x.held THEN 'review' WHEN x.plated THEN 'run' WHEN x.queued THEN 'queue'
                WHEN EXISTS (SELECT FROM sub_pool_source s JOIN sub_pool p ON p.id = s.sub_pool_id
                             WHERE s.source_id = o.id AND p.state = 'wanted') THEN 'preparing'
                WHEN o.kind = 'individual' AND o.pool_size > 1 AND NOT EXISTS
                     (SELECT FROM tube_source s WHERE s.source_id = o.id) THEN 'pool' END AS stage
    FROM own o JOIN known k ON k.id = o.id LEFT JOIN tested x ON x.id = o.id
)
SELECT barcode, swabs,
       CASE WHEN rejected_at IS NOT NULL THEN 'rejected' WHEN told THEN 'results'
            WHEN stage IS NOT NULL THEN 'waiting' ELSE 'lost' END AS place,
       CASE WHEN rejected_at IS NULL AND NOT told THEN stage END AS stage
FROM staged ORDER BY barcode
""")

# Each tube once: what its last test came to.
_SUB_POOLS = text("""
WITH last AS (
    SELECT DISTINCT ON (t.id) t.id, o.state FROM tube t
    LEFT JOIN test_order o ON o.tube_id = t.id
    WHERE t.master_id IS NOT NULL ORDER BY t.id, o.state = 'resulted' DESC, o.round DESC
)
SELECT count(*) FILTER (WHERE state = 'resulted') AS measured,
       count(*) FILTER (WHERE state IN ('queued', 'plated')) AS waiting,
       count(*) FILTER (WHERE state IN ('cancelled', 'void')) AS unneeded
FROM last
""")

_SWABS = text("SELECT id FROM specimen ORDER BY id")

_PENDING = text("SELECT id FROM notice WHERE state = 'owed'")

# A case that was withdrawn is no positive's case; nor is one that PCR did not confirm, unless a
# negative PCR stands beside nothing but a rapid test's presumption.
_POSITIVES = text("""
WITH found AS (
    SELECT f.person_id, coalesce(min(t.barcode), min(f.specimen_id::text)) AS barcode
    FROM finding f
    LEFT JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
    LEFT JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
    WHERE f.current AND f.outcome IN ('positive', 'presumptive') GROUP BY f.person_id
), live AS (
    SELECT c.person_id, bool_or(c.state IN ('presumptive', 'confirmed')) AS live,
           bool_or(c.state IN ('presumptive', 'confirmed', 'closed')) AS stands,
           bool_or(c.state = 'not_confirmed') AND NOT EXISTS (
               SELECT FROM finding d WHERE d.person_id = c.person_id AND d.current
               AND d.outcome = 'positive') AND EXISTS (
               SELECT FROM finding d WHERE d.person_id = c.person_id AND d.current
               AND d.outcome = 'negative') AS refuted,
           min(c.id::text) AS case_id
    FROM f0_case c GROUP BY c.person_id
)
SELECT f.person_id IS NOT NULL AS positive, coalesce(c.stands OR c.refuted, false) AS has_case,
       coalesce(f.barcode, c.case_id) AS barcode,
       CASE WHEN f.person_id IS NOT NULL AND NOT coalesce(c.stands OR c.refuted, false)
            THEN 'a positive without a case'
            WHEN f.person_id IS NULL AND c.live AND NOT EXISTS (
                SELECT FROM finding d WHERE d.person_id = c.person_id AND d.current
                AND d.outcome = 'discordant') THEN 'a live case without a positive' END AS what
FROM found f FULL JOIN live c ON c.person_id = f.person_id ORDER BY barcode
""")
