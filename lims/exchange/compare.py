"""Compares what other systems took with what they say that they hold, a day at a time; and what
was taken of theirs with what they have (compare_pulled.py).

No connection to the database is held while they are asked. What they took is read first: what
they take meanwhile is then ahead of that, and no gap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from lims.db.away import DATABASE_AWAY
from lims.db.laboratory import Laboratory
from lims.domain.exchange import PULLED, DestinationKind, Gap
from lims.exchange.adapters.holdings import EVERY_HOLDINGS, Held, Holdings
from lims.exchange.compare_pulled import compare_declarations
from lims.exchange.pull import Puller
from lims.exchange.speaker import Away
from lims.work import comparing
from lims.work.comparing import Comparing, Found, Word

log = structlog.get_logger()

_LEASE_S: Final = 3600.0
_LOOK_S: Final = 5.0  # how soon one that was asked for begins
_DAY: Final = timedelta(days=1)


@dataclass(slots=True)
class Difference:
    """What was found so far; ``gaps`` by record. ``said``: how our last word reads there."""

    said: Callable[[Word], str | None]
    told: int = 0
    held: int = 0
    gaps: dict[UUID, Found] = field(default_factory=dict)

    def missing(self, record: UUID, word: Word) -> None:
        """They listed it nowhere yet; an older word of another day may still come."""
        self.gaps.setdefault(record, Found(Gap.MISSING, word.sequence, None))

    def has(self, held: Held, word: Word) -> None:
        """They have it: perhaps an older word, or this one saying something else."""
        if held.sequence < word.sequence:
            self.gaps[held.record] = Found(Gap.BEHIND, word.sequence, held.sequence)
        elif held.sequence == word.sequence and self.said(word) not in (None, held.says):
            self.gaps[held.record] = Found(Gap.OTHER, word.sequence, held.sequence)
        else:
            self.gaps.pop(held.record, None)


def _as_pulled(_word: Word) -> None:
    """We say nothing there that could read otherwise."""


class Comparer:
    """Makes the comparisons of one laboratory that were asked for, and asks for one a day."""

    def __init__(
        self, laboratory: Laboratory, holdings: Mapping[DestinationKind, Holdings] | None = None
    ) -> None:
        self._lab = laboratory
        self._holdings = holdings or EVERY_HOLDINGS
        self._puller = Puller(laboratory)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; the one under way is begun again when its lease runs out."""
        while not stop.wait(_LOOK_S):
            try:
                with self._lab.sessions.begin() as session:
                    comparing.ask_daily(session, site_id=self._lab.site_id, now=self._lab.clock())
                while not stop.is_set() and self.one():
                    pass
            except DATABASE_AWAY as failure:
                log.warning("compare.database_away", why=type(failure).__name__)

    def one(self, only: UUID | None = None, *, last: bool = False) -> bool:
        """Make one that was asked for; False when there was none. ``last``: do not try again."""
        with self._lab.sessions.begin() as session:
            begun = comparing.begin(
                session,
                site_id=self._lab.site_id,
                now=self._lab.clock(),
                lease_s=_LEASE_S,
                only=only,
            )
        if begun is None:
            return False
        try:
            found = self._compare(begun)
        except Away as away:
            self._failed(begun, str(away), last=last)
        except DATABASE_AWAY:
            raise
        except Exception as failure:
            log.error("compare.failed", comparison=str(begun.comparison_id), exc_info=failure)
            self._failed(begun, f"ours: {type(failure).__name__}", last=last)
        else:
            self._finished(begun, found)
        return True

    def _compare(self, begun: Comparing) -> Difference:
        if begun.leased.kind in PULLED:
            return Difference(_as_pulled, *compare_declarations(self._lab, begun, self._puller))
        found = Difference(self._holdings[begun.leased.kind].said)
        since = begun.since
        while since < begun.until:
            until = min(since + _DAY, begun.until)
            self._day(begun, found, since, until)
            since = until
        self._moved_on(begun.leased.destination_id, found)
        return found

    def _day(self, begun: Comparing, found: Difference, since: datetime, until: datetime) -> None:
        destination = begun.leased.destination_id
        with self._lab.sessions.begin() as session:
            taken = comparing.last_taken(session, destination, since=since, until=until)
        found.told += len(taken)
        elsewhere: dict[UUID, Held] = {}
        for held in self._holdings[begun.leased.kind].held(begun.leased, since, until):
            found.held += 1
            word = taken.pop(held.record, None)
            if word is None:
                elsewhere[held.record] = held
            else:
                found.has(held, word)
        for record, word in taken.items():
            found.missing(record, word)
        if elsewhere:
            self._elsewhere(destination, found, elsewhere)

    def _elsewhere(
        self, destination: UUID, found: Difference, elsewhere: Mapping[UUID, Held]
    ) -> None:
        """Listed for a day on which they took no last word: an older word, or none of ours."""
        with self._lab.sessions.begin() as session:
            owed = comparing.last_owed(session, destination, elsewhere)
        for record, held in elsewhere.items():
            if record not in owed:
                found.gaps[record] = Found(Gap.STRANGER, None, held.sequence)
            elif (word := owed[record]) is not None:
                found.has(held, word)

    def _moved_on(self, destination: UUID, found: Difference) -> None:
        """What was taken after the period that is compared stands in no day of it."""
        missing = [record for record, one in found.gaps.items() if one.gap is Gap.MISSING]
        if not missing:
            return
        with self._lab.sessions.begin() as session:
            now_taken = comparing.last_owed(session, destination, missing)
        for record, word in now_taken.items():
            if word is None or word.sequence != found.gaps[record].ours:
                del found.gaps[record]

    def _finished(self, begun: Comparing, found: Difference) -> None:
        with self._lab.sessions.begin() as session:
            comparing.finish(
                session,
                begun,
                found.gaps,
                told=found.told,
                held=found.held,
                now=self._lab.clock(),
            )
        log.info(
            "compare.done",
            destination=str(begun.leased.destination_id),
            told=found.told,
            held=found.held,
            gaps=len(found.gaps),
        )

    def _failed(self, begun: Comparing, said: str, *, last: bool) -> None:
        with self._lab.sessions.begin() as session:
            comparing.fail(session, begun, said, now=self._lab.clock(), last=last)
        log.warning("compare.away", destination=str(begun.leased.destination_id), why=said)
