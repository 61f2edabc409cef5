"""Rapid tests for a story: a kit, a class of forty, strips that are dropped and read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from lims.db.ids import uuid7
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure, RosterKind
from lims.domain.registration import AreaRef, PersonGiven
from lims.domain.roster_line import Marked, Sign
from lims.work.kit_names import LotGiven
from lims.work.kits import LotKnown, register_lot
from lims.work.mark_strip import mark_strip
from lims.work.people_together import MemberGiven
from lims.work.read_strips import Counts, ReadTimer, read_timer
from lims.work.roster import RosterGiven, add_members, open_roster
from lims.work.start_strips import StartGiven, start_timer
from lims.work.views.rosters import roster_sheet
from tests.builders import HOME, Bench

GTIN = "08935212000017"


def box(bench: Bench, lot: str = "AG21-07", *, expires_on: date = date(2023, 1, 31)) -> LotKnown:
    """A registered lot of the one kit of these stories, read from 15 to 30 minutes."""
    given = LotGiven("Nhanh Ag", lot, expires_on, gtin=GTIN)
    return register_lot(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)


def pupils(count: int, *, home: AreaRef | None = HOME) -> list[MemberGiven]:
    return [
        MemberGiven(PersonGiven(f"Học Sinh {n}", name_key(f"Học Sinh {n}"), 2007, area=home))
        for n in range(1, count + 1)
    ]


@dataclass
class Classroom:
    """A roster with people on it."""

    bench: Bench
    roster_id: UUID
    lot: LotKnown

    def numbered(self, position: int, national_id: str) -> None:
        """Somebody of the class has a card."""
        self.bench.session.execute(
            text(
                "UPDATE person SET national_id = :number WHERE id = (SELECT person_id"
                " FROM roster_member WHERE roster_id = :roster AND position = :position)"
            ),
            {"number": national_id, "roster": self.roster_id, "position": position},
        )

    def start(self, first: int | None = None, last: int | None = None) -> UUID:
        given = StartGiven(uuid7(), self.roster_id, self.lot.lot_id, first, last)
        bench = self.bench
        start_timer(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
        return given.timer_id

    def mark(self, position: int, sign: Sign = Sign.POSITIVE) -> None:
        mark_strip(
            self.bench.session,
            self.roster_id,
            Marked(position, sign),
            site_id=self.bench.site_id,
            now=self.bench.now,
        )

    def seen(self, timer: UUID) -> str:
        """What the page shows of this timer, and a confirmation carries back."""
        sheet = roster_sheet(self.bench.session, self.roster_id, site_id=self.bench.site_id)
        assert sheet is not None
        return sheet.stands(timer)

    def confirm(self, timer: UUID, seen: str) -> ReadTimer:
        bench = self.bench
        return read_timer(
            bench.session,
            self.roster_id,
            timer,
            seen,
            site_id=bench.site_id,
            by="desk",
            now=bench.now,
        )

    def read(self, timer: UUID, negative: int, positive: int = 0, invalid: int = 0) -> ReadTimer:
        """Confirm what stands there now, which is so many of each."""
        kept = self.confirm(timer, self.seen(timer))
        assert kept.counts == Counts(negative, positive, invalid)
        return kept


def classroom(
    bench: Bench,
    people: int = 40,
    *,
    lot: LotKnown | None = None,
    exposure: Exposure = Exposure.NONE,
) -> Classroom:
    """A class with a registered kit lot beside it."""
    given = RosterGiven(uuid7(), RosterKind.CLASS, "Lớp 9A1", area=HOME, exposure=exposure)
    open_roster(bench.session, given, site_id=bench.site_id, by="desk", now=bench.now)
    add_members(
        bench.session,
        given.roster_id,
        pupils(people),
        add_id=uuid7(),
        site_id=bench.site_id,
        now=bench.now,
    )
    return Classroom(bench, given.roster_id, lot or box(bench))
