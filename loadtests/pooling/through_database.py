"""How long a pool's next tests take through the database: real rows, real verbs, one commit.

A message with the one result (and its run's controls) is taken as the gateway's is: read, matched,
judged, concluded, written, committed. The decision is what follows from the result: from the moment
its rows are written until the commit that queues the next tests. What a commit costs here by itself
is measured beside it, since every figure contains one. First: with nothing thought before in this
process; otherwise as in a day, where pools are alike.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import numpy as np
from sqlalchemy import event, text

from lims.db.embedded import EmbeddedServer
from lims.db.ids import uuid7
from lims.db.laboratory import Laboratory, utc_now
from lims.domain.barcodes import minted_from
from lims.domain.identity import name_key
from lims.domain.pooling.adaptive import first_batch
from lims.domain.pooling.bayes import next_tests
from lims.domain.pooling.choice import Resolution
from lims.domain.registration import PersonGiven, Registration
from lims.opening import open_laboratory, prepare
from lims.settings import Settings
from lims.tables import Campaign, Instrument
from lims.work import measure as measuring
from lims.work.plate import RunRequest, lay_out
from lims.work.pool import PoolRequest, make_pool
from lims.work.prepare import PrepareRequest
from lims.work.prepare import prepare as pipette
from lims.work.receive import receive
from lims.work.register_batch import register_batch
from lims.work.settle_run import settle_measured
from loadtests.figures.plate import capture
from loadtests.pooling.bar import Bar

DECIDED_MS: Final = 100.0
_POOLS: Final = 40
_ANEW: Final = 4  # pools of each kind whose design is thought anew
_SIZES: Final = (20, 32)
_WAYS: Final = (
    Resolution.DORFMAN,
    Resolution.HIERARCHICAL,
    Resolution.GRID,
    Resolution.BAYESIAN,
    Resolution.AUTO,
)


def measure(quick: bool) -> Sequence[Bar]:
    """p99 of the decisions after the pool's own result and after its first sub-pools'."""
    bars: list[Bar] = []
    with _opened() as bench:
        for members in _SIZES:
            for way in _WAYS:
                bars.extend(_of(bench, way, members, 6 if quick else _POOLS))
    return bars


def _of(bench: "_Bench", way: Resolution, members: int, pools: int) -> Iterator[Bar]:
    campaign = bench.campaign(way, members)
    empty = bench.empty_commits(5 * pools)
    first, parted = [], []
    for number in range(_ANEW + pools):
        if number < _ANEW:
            next_tests.forget_designs()
            first_batch.cache_clear()
        pool, tubes = bench.pool(campaign, members)
        first.append(bench.measured({pool: 27.0}))
        lines = bench.pipetted(tubes[number % members])
        if lines:
            parted.append(bench.measured(lines))
        bench.close_queue()
    where = f"{way}, {members}"
    yield _bar(f"next tests, {where}, first of its kind", first[:_ANEW], empty)
    yield _bar(f"next tests, {where}", first[_ANEW:], empty)
    if parted:
        yield _bar(f"after its sub-pools, {where}", parted[_ANEW:], empty)


def _bar(name: str, taken: Sequence["Taken"], empty: Sequence[float]) -> Bar:
    decided = [one.decided_ms for one in taken]
    floor = float(np.median(empty))
    median = float(np.median(decided))
    return Bar(
        f"{name}, p99",
        float(np.quantile(decided, 0.99)),
        DECIDED_MS,
        "ms",
        note=f"p50 {median:.1f} ms, {median / floor:.0f} x an empty commit ({floor:.2f} ms);"
        f" in the database {np.median([one.database_ms for one in taken]):.1f} ms in"
        f" {np.median([one.statements for one in taken]):.0f} statements;"
        f" the whole message {np.median([one.whole_ms for one in taken]):.1f} ms",
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """Of one message: from its first byte to the commit, from the written result to the commit, and
    of that what the database took, statements and commit."""

    whole_ms: float
    decided_ms: float
    database_ms: float
    statements: int


@dataclass
class _Bench:
    laboratory: Laboratory
    labels: Iterator[str]
    plates: Iterator[int] = field(default_factory=count)

    @property
    def site(self) -> UUID:
        return self.laboratory.site_id

    def campaign(self, way: Resolution, members: int) -> UUID:
        with self.laboratory.sessions.begin() as session:
            made = Campaign(
                id=uuid7(),
                site_id=self.site,
                name=f"{way} {members} {uuid7()}",
                pool_size=members,
                opened_at=utc_now(),
                resolution=way,
            )
            session.add(made)
            return made.id

    def pool(self, campaign: UUID, members: int) -> tuple[str, list[str]]:
        """A pool of received tubes, and those in pipetting order."""
        now, tubes = utc_now(), [next(self.labels) for _ in range(members)]
        given = [(n, _swab(tube, campaign, now)) for n, tube in enumerate(tubes)]
        with self.laboratory.sessions.begin() as session:
            register_batch(session, given, site_id=self.site, by="bench", now=now)
            session.flush()
            for tube in tubes:
                receive(session, tube, by="bench", now=now)
        label = next(self.labels)
        request = PoolRequest(uuid7(), label, tuple(tubes))
        with self.laboratory.sessions.begin() as session:
            make_pool(session, request, site_id=self.site, by="bench", now=now)
        return label, tubes

    def pipetted(self, infected: str) -> dict[str, float | None]:
        """Every sub-pool that is wanted, prepared; detected where it holds the infected."""
        made: dict[str, float | None] = {}
        with self.laboratory.sessions.begin() as session:
            wanted = session.execute(_WANTED, {"infected": infected}).all()
            for row in wanted:
                label = next(self.labels)
                pipette(
                    session,
                    PrepareRequest(uuid7(), row.id, label),
                    site_id=self.site,
                    by="bench",
                    now=utc_now(),
                )
                made[label] = 26.0 if row.holds else None
        return made

    def measured(self, cts: dict[str, float | None]) -> Taken:
        """One run of these tubes, its message taken."""
        wells = tuple((f"{'ABCDEFGH'[n % 8]}{n // 8 + 1:02d}", one) for n, one in enumerate(cts))
        request = RunRequest(uuid7(), f"DECIDE-{next(self.plates):05d}", wells=wells)
        with self.laboratory.sessions.begin() as session:
            layout, _ = lay_out(session, request, site_id=self.site, by="bench", now=utc_now())
            laid: dict[str, Any] = {
                "plate": layout.plate,
                "wells": [
                    {"position": w.position, "role": w.role, "barcode": w.barcode}
                    for w in layout.wells
                ],
            }
        message = capture(laid, {tube: ct for tube, ct in cts.items() if ct is not None})
        watch = _Watch()
        with watch.on(self.laboratory):
            began = time.perf_counter()
            with self.laboratory.sessions.begin() as session:
                measuring.take(
                    session, message, site_id=self.site, captured_at=utc_now(), now=utc_now()
                )
                ended_verb = time.perf_counter()
            ended = time.perf_counter()
        return Taken(
            whole_ms=1000 * (ended - began),
            decided_ms=1000 * (ended - watch.settling),
            database_ms=1000 * (watch.spent_s + ended - ended_verb),
            statements=watch.statements,
        )

    def close_queue(self) -> None:
        """So that the next pool finds the queue as this one did."""
        with self.laboratory.sessions.begin() as session:
            session.execute(
                text(
                    "UPDATE test_order SET state='cancelled', closed_at=now() WHERE state='queued'"
                )
            )
            session.execute(
                text("UPDATE sub_pool SET state='cancelled', ended_at=now() WHERE state='wanted'")
            )

    def empty_commits(self, times: int) -> list[float]:
        """Milliseconds each: a transaction that writes nothing but its own end."""
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            with self.laboratory.sessions.begin() as session:
                session.execute(text("SELECT pg_current_xact_id()"))
            taken.append(1000 * (time.perf_counter() - began))
        return taken


@dataclass
class _Watch:
    """When the result stood written, and what the database took from then on."""

    settling: float = 0.0
    spent_s: float = 0.0
    statements: int = 0
    _sent: float = 0.0

    @contextmanager
    def on(self, laboratory: Laboratory) -> Iterator[None]:
        def watched(*given: Any, **named: Any) -> None:
            self.settling, self.spent_s, self.statements = time.perf_counter(), 0.0, 0
            settle_measured(*given, **named)

        event.listen(laboratory.engine, "before_cursor_execute", self._send)
        event.listen(laboratory.engine, "after_cursor_execute", self._got)
        try:
            with patch.object(measuring, "settle_measured", watched):  # a stopwatch, no more
                yield
        finally:
            event.remove(laboratory.engine, "before_cursor_execute", self._send)
            event.remove(laboratory.engine, "after_cursor_execute", self._got)

    def _send(self, *_given: object) -> None:
        self._sent = time.perf_counter()

    def _got(self, *_given: object) -> None:
        self.spent_s += time.perf_counter() - self._sent
        self.statements += 1


@contextmanager
def _opened() -> Iterator[_Bench]:
    """A laboratory on fresh data, without its web server and its deliverer."""
    home = Path(tempfile.mkdtemp(prefix="thantoc-bench-"))
    home.chmod(0o711)  # the server's account must pass through
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LIMS_")}
    settings = Settings.from_env({**environment, "LIMS_HOME": str(home)})
    database = EmbeddedServer(settings.home)
    try:
        prepare(settings)
        laboratory = open_laboratory(settings, name="bench")
        with laboratory.sessions.begin() as session:
            session.add(
                Instrument(
                    site_id=laboratory.site_id,
                    name="bench-1",
                    driver="plate",
                    created_at=utc_now(),
                )
            )
            session.execute(text("UPDATE site SET max_pool_size = :most"), {"most": max(_SIZES)})
        yield _Bench(laboratory, (label for _, label in minted_from("TT", "BD", 1)))
        laboratory.engine.dispose()
    finally:
        database.stop("fast")
        shutil.rmtree(database.data, ignore_errors=True)
        shutil.rmtree(home, ignore_errors=True)


def _swab(label: str, campaign: UUID, now: datetime) -> Registration:
    name = f"Nguyễn Văn {label}"
    return Registration(
        specimen_id=uuid7(),
        barcode=label,
        collected_at=now,
        person=PersonGiven(name, name_key(name), 1980),
        person_id=None,
        campaign_id=campaign,
    )


_WANTED: Final = text("""
SELECT p.id, EXISTS (SELECT FROM sub_pool_source s JOIN tube t ON t.id = s.source_id
                     WHERE s.sub_pool_id = p.id AND t.barcode = :infected) AS holds
FROM sub_pool p WHERE p.state = 'wanted' ORDER BY p.id
""")
