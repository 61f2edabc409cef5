"""A desk with a reader: a class whose number 3 has a card, and what the reader says of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from instruments.measurement import Capture, Measurement, Role, TargetReading, digest_of
from lims.db.ids import uuid7
from lims.work.measure import Receipt
from lims.work.views.review_messages import strays
from tests.builders import HOME, Bench, add_instrument, open_bench
from tests.builders_rapid import Classroom, classroom

NUMBER = "001307000017"


def desk(session: Session, now: datetime) -> Bench:
    opened = open_bench(session, now)
    add_instrument(session, opened.site_id, now=now, name="SOFIA-1")
    opened.subscribe(HOME)
    return opened


def class_of_four(bench: Bench) -> Classroom:
    room = classroom(bench, 4)
    room.numbered(3, NUMBER)
    return room


def person(room: Classroom, position: int) -> UUID:
    found: UUID = room.bench.session.execute(
        text("SELECT person_id FROM roster_member WHERE roster_id = :r AND position = :p"),
        {"r": room.roster_id, "p": position},
    ).scalar_one()
    return found


def said(
    bench: Bench,
    call: str = "positive",
    *,
    scanned: str = NUMBER,
    at: datetime | None = None,
    lot: str = "",
    heard: datetime | None = None,
    role: Role = Role.SPECIMEN,
    resent: bool = False,
) -> Receipt:
    """A reader's message, heard now unless said otherwise."""
    one = Measurement(
        path="OBS1",
        specimen=scanned,
        role=role,
        assay="Sofia SARS^SARS",
        targets=(TargetReading("SARS", None, call),),
        call=call,
        measured_at=at.isoformat() if at else None,
        error="invalid" if call == "invalid" else None,
        flags=(*((f"lot-{lot}",) if lot else ()), *(("resent",) if resent else ())),
    )
    return bench.take(message(bench, one, heard=heard))


def positive_of(specimen: str = NUMBER) -> Measurement:
    return Measurement(
        path="OBS1",
        specimen=specimen,
        role=Role.SPECIMEN,
        assay="Sofia SARS^SARS",
        targets=(TargetReading("SARS", None, "positive"),),
        call="positive",
    )


def message(bench: Bench, *spoken: Measurement, heard: datetime | None = None) -> Capture:
    raw = f"message {uuid7()}".encode()
    return Capture(
        digest=digest_of(raw),
        instrument="SOFIA-1",
        driver="sofia2",
        driver_version="1",
        captured_at=(heard or bench.now).isoformat(),
        complete=True,
        raw=raw,
        measurements=spoken,
    )


def standing(bench: Bench) -> tuple[str, str | None]:
    row = bench.session.execute(
        text("SELECT standing, why FROM measurement ORDER BY id DESC LIMIT 1")
    ).one()
    return row.standing, row.why


def rapid(bench: Bench) -> list[tuple[str, str]]:
    """What was kept: outcome and lot."""
    rows = bench.session.execute(
        text(
            "SELECT q.outcome, l.lot FROM rapid_test q JOIN kit_lot l ON l.id = q.kit_lot_id"
            " ORDER BY q.id"
        )
    )
    return [(row.outcome, row.lot) for row in rows]


def stray(bench: Bench) -> UUID:
    (one,) = strays(bench.session, site_id=bench.site_id)
    return one.measurement_id
