"""Kits and their lots: registered once from the box, looked up at every use, refused when old."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.gs1 import KitCode, looks_like_kit, parse_kit
from lims.domain.rapid_test import USUAL_WINDOW, LotSource, ReadWindow
from lims.domain.refusals import Conflict, InvalidBody, NotFound
from lims.tables import Kit, KitLot
from lims.work.audit import record

USUAL: Final = "15 to 30 minutes, as most inserts of 2021"
UNSEEN: Final = "—"
"""The name of the kit behind lots that a reading named and nobody registered."""
_ITEM: Final = "GTIN "
"""Before the number: what a kit is called that a machine's reading brought and nobody named."""
VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
"""A box's last day ends at midnight there."""


class KitDiffers(Conflict):
    """The same lot of the same kit was registered with another expiry date."""

    slug = "kit-differs"
    expected = "the expiry date this lot was registered with"
    todo = "compare the box with the list of kit lots; one of the two was misread"


@dataclass(frozen=True, slots=True)
class LotKnown:
    """A lot with its kit's window."""

    lot_id: UUID
    kit: str
    gtin: str | None
    lot: str
    expires_on: date | None
    window: ReadWindow
    source: LotSource

    @property
    def named(self) -> bool:
        """Whether a person said what the kit is called."""
        return is_named(self.kit)


@dataclass(frozen=True, slots=True)
class LotGiven:
    """A lot as its box says, with what only the insert says: the name and the window (minutes)."""

    name: str
    lot: str
    expires_on: date
    gtin: str | None = None
    reads_from_min: int = 15
    reads_to_min: int = 30
    window_source: str = USUAL
    source: LotSource = LotSource.TYPED


def is_named(kit: str) -> bool:
    """False for a kit that is only known by its item number, or not even by that."""
    return kit != UNSEEN and not kit.startswith(_ITEM)


_LOT = """
SELECT l.id, k.name, k.gtin, l.lot, l.expires_on, k.reads_from_min, k.reads_to_min, l.source
FROM kit_lot l JOIN kit k ON k.id = l.kit_id
WHERE l.site_id = :site
"""


_KEPT = text(f"{_LOT} AND k.gtin = :gtin AND l.lot = :lot AND l.source <> 'told'")


def lot_of(session: Session, lot_id: UUID, *, site_id: UUID) -> LotKnown:
    """Raises NotFound."""
    row = session.execute(text(f"{_LOT} AND l.id = :id"), {"site": site_id, "id": lot_id}).first()
    if row is None:
        raise NotFound(came=str(lot_id), where="kit_lot_id")
    return _known(row)


def lot_of_box(
    session: Session, box: KitCode, *, site_id: UUID, by: str, now: datetime
) -> LotKnown | None:
    """The lot of a scanned box; a new lot of a known kit is registered on the spot.

    None for a kit that nobody has named: its window stands in the insert, not on the box.
    Raises KitDiffers when the lot is known with another expiry date.
    """
    kept = session.execute(_KEPT, {"site": site_id, "gtin": box.gtin, "lot": box.lot}).first()
    if kept is not None and kept.expires_on == box.expires_on:
        return _known(kept)  # as at every strip but a lot's first: nothing is to be written
    kit = session.execute(
        text("SELECT id, name FROM kit WHERE site_id = :site AND gtin = :gtin"),
        {"site": site_id, "gtin": box.gtin},
    ).one_or_none()
    if kit is None:
        return None
    return _keep_lot(
        session, kit.id, box.lot, box.expires_on, LotSource.SCANNED, site_id=site_id, by=by, now=now
    )


def register_lot(
    session: Session, given: LotGiven, *, site_id: UUID, by: str, now: datetime
) -> LotKnown:
    """Keep a kit and one lot of it. The same box again changes nothing.

    A kit that somebody named keeps its name and window; one that only machines told of gets
    these. Raises KitDiffers.
    """
    session.execute(
        insert(Kit)
        .values(
            id=uuid7(),
            site_id=site_id,
            name=given.name,
            gtin=given.gtin,
            reads_from_min=given.reads_from_min,
            reads_to_min=given.reads_to_min,
            window_source=given.window_source,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    kit = session.execute(
        text(
            "SELECT id, name, gtin FROM kit WHERE site_id = :site"
            " AND (gtin = cast(:gtin AS text) OR name = :name) ORDER BY gtin = cast(:gtin AS text)"
            " DESC NULLS LAST LIMIT 1"
        ),
        {"site": site_id, "gtin": given.gtin, "name": given.name},
    ).one()
    if given.gtin is not None and kit.gtin != given.gtin:
        raise KitDiffers(
            expected="one name for one kit", came=f"{given.name} is item {kit.gtin}", where="name"
        )
    if given.gtin is not None and is_named(given.name) and not is_named(kit.name):
        _name_kit(session, kit.id, given, site_id=site_id, by=by, now=now)
    return _keep_lot(
        session, kit.id, given.lot, given.expires_on, given.source, site_id=site_id, by=by, now=now
    )


def _name_kit(
    session: Session, kit_id: UUID, given: LotGiven, *, site_id: UUID, by: str, now: datetime
) -> None:
    """Raises KitDiffers where another kit has the name."""
    other = session.execute(
        text("SELECT gtin FROM kit WHERE site_id = :site AND name = :name"),
        {"site": site_id, "name": given.name},
    ).one_or_none()
    if other is not None:
        raise KitDiffers(
            expected="one name for one kit",
            came=f"{given.name} is item {other.gtin or UNSEEN}",
            where="name",
        )
    session.execute(
        text(
            "UPDATE kit SET name = :name, reads_from_min = :opens, reads_to_min = :closes,"
            " window_source = :source WHERE id = :kit"
        ),
        {
            "kit": kit_id,
            "name": given.name,
            "opens": given.reads_from_min,
            "closes": given.reads_to_min,
            "source": given.window_source,
        },
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="name_kit",
        subject=str(kit_id),
        now=now,
        name=given.name,
        gtin=given.gtin,
    )


def lot_said(session: Session, said: str, *, site_id: UUID, by: str, now: datetime) -> LotKnown:
    """The lot that a reading names: a scanned box, or the lot's characters.

    A lot nobody registered is kept as told, without expiry and with the usual window, so that a
    machine that only knows the characters loses no reading; the list of lots asks a person to
    complete it. Raises NotAKitCode, KitDiffers, and InvalidBody when several kits have that lot.
    """
    if looks_like_kit(said):
        box = parse_kit(said, today=now.astimezone(VIETNAM).date())
        known = lot_of_box(session, box, site_id=site_id, by=by, now=now)
        return known or register_lot(
            session,
            LotGiven(
                name=f"{_ITEM}{box.gtin}",
                gtin=box.gtin,
                lot=box.lot,
                expires_on=box.expires_on,
                source=LotSource.SCANNED,
            ),
            site_id=site_id,
            by=by,
            now=now,
        )
    rows = session.execute(text(f"{_LOT} AND l.lot = :lot"), {"site": site_id, "lot": said}).all()
    seen = [row for row in rows if row.source != LotSource.TOLD] or rows
    if len(seen) > 1:
        fault = {"pointer": "#/kit_lot", "detail": "several kits have this lot: scan the box"}
        raise InvalidBody(errors=[fault], where="kit_lot", came=said)
    return _known(seen[0]) if seen else _told(session, said, site_id=site_id, by=by, now=now)


def _told(session: Session, lot: str, *, site_id: UUID, by: str, now: datetime) -> LotKnown:
    session.execute(
        insert(Kit)
        .values(
            id=uuid7(),
            site_id=site_id,
            name=UNSEEN,
            reads_from_min=int(USUAL_WINDOW.opens.total_seconds() // 60),
            reads_to_min=int(USUAL_WINDOW.closes.total_seconds() // 60),
            window_source=USUAL,
            created_at=now,
        )
        .on_conflict_do_nothing()
    )
    kit_id = session.execute(
        text("SELECT id FROM kit WHERE site_id = :site AND name = :name"),
        {"site": site_id, "name": UNSEEN},
    ).scalar_one()
    return _keep_lot(session, kit_id, lot, None, LotSource.TOLD, site_id=site_id, by=by, now=now)


def _keep_lot(
    session: Session,
    kit_id: UUID,
    lot: str,
    expires_on: date | None,
    source: LotSource,
    *,
    site_id: UUID,
    by: str,
    now: datetime,
) -> LotKnown:
    if expires_on is not None:
        session.execute(
            _COMPLETED,
            {
                "site": site_id,
                "lot": lot,
                "kit": kit_id,
                "expires_on": expires_on,
                "source": str(source),
            },
        )
    made = session.execute(
        insert(KitLot)
        .values(
            id=uuid7(),
            site_id=site_id,
            kit_id=kit_id,
            lot=lot,
            expires_on=expires_on,
            source=source,
            registered_at=now,
            registered_by=by,
        )
        .on_conflict_do_nothing()
        .returning(KitLot.id)
    ).scalar_one_or_none()
    found = _known(
        session.execute(
            text(f"{_LOT} AND l.kit_id = :kit AND l.lot = :lot"),
            {"site": site_id, "kit": kit_id, "lot": lot},
        ).one()
    )
    if expires_on is not None and found.expires_on != expires_on:
        raise KitDiffers(
            came=f"lot {lot} expires on {found.expires_on}, the box says {expires_on}",
            where="expires_on",
        )
    if made is not None:
        record(
            session,
            site_id=site_id,
            actor=by,
            verb="register_kit_lot",
            subject=str(made),
            now=now,
            kit=found.kit,
            lot=lot,
            expires_on=str(expires_on or ""),
            source=str(source),
        )
    return found


# The box of a lot that readings only named: their lot is this one.
_COMPLETED = text("""
UPDATE kit_lot SET kit_id = :kit, expires_on = :expires_on, source = :source
WHERE site_id = :site AND lot = :lot AND source = 'told'
  AND NOT EXISTS (SELECT FROM kit_lot o WHERE o.kit_id = :kit AND o.lot = :lot)
""")


def _known(row: Row[tuple[object, ...]]) -> LotKnown:
    return LotKnown(
        lot_id=row.id,
        kit=row.name,
        gtin=row.gtin,
        lot=row.lot,
        expires_on=row.expires_on,
        window=ReadWindow.of_minutes(row.reads_from_min, row.reads_to_min),
        source=LotSource(row.source),
    )
