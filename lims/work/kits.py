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
from lims.domain.rapid_test import LotSource, ReadWindow
from lims.domain.refusals import InvalidBody, NotFound
from lims.tables import KitLot
from lims.work.audit import record
from lims.work.kit_names import (
    ITEM,
    KitDiffers,
    LotGiven,
    is_named,
    kit_of,
    tell_item,
    unseen_kit,
)

VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
"""A box's last day ends at midnight there."""


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
    """The lot of a box that a person scanned; a new lot of a known kit is registered on the spot.

    A kit that was typed with this lot and expiry becomes this item. None for a kit that nobody has
    named: its window stands in the insert, not on the box.
    Raises KitDiffers when the lot is known with another expiry date.
    """
    known = _lot_of_item(session, box, site_id=site_id, by=by, now=now)
    if known is None:
        tell_item(session, box, site_id=site_id, by=by, now=now)
        known = _lot_of_item(session, box, site_id=site_id, by=by, now=now)
    return known


def _lot_of_item(
    session: Session, box: KitCode, *, site_id: UUID, by: str, now: datetime
) -> LotKnown | None:
    """The same, of a kit whose item number is known already. Raises KitDiffers."""
    kept = session.execute(_KEPT, {"site": site_id, "gtin": box.gtin, "lot": box.lot}).first()
    if kept is not None and kept.expires_on == box.expires_on:
        return _known(kept)  # as at every strip but a lot's first: nothing is to be written
    kit_id = session.execute(
        text("SELECT id FROM kit WHERE site_id = :site AND gtin = :gtin"),
        {"site": site_id, "gtin": box.gtin},
    ).scalar_one_or_none()
    if kit_id is None:
        return None
    lot = _Lot(kit_id, box.lot, box.expires_on, LotSource.SCANNED)
    return _keep_lot(session, lot, site_id=site_id, by=by, now=now)


def register_lot(
    session: Session, given: LotGiven, *, site_id: UUID, by: str, now: datetime
) -> LotKnown:
    """Keep a kit that a person named and one lot of it. The same box again changes nothing.

    Raises KitDiffers, and InvalidBody for a name by which kits go that nobody named.
    """
    if not is_named(given.name):
        raise InvalidBody(errors=[_NAMELESS], where="name", came=given.name)
    return _register(session, given, site_id=site_id, by=by, now=now)


_NAMELESS: Final = {
    "pointer": "#/name",
    "detail": "the manufacturer's name; — and GTIN are for kits that nobody named",
}


def _register(
    session: Session, given: LotGiven, *, site_id: UUID, by: str, now: datetime
) -> LotKnown:
    """The same, under any name. Raises KitDiffers."""
    kit_id = kit_of(session, given, site_id=site_id, by=by, now=now)
    lot = _Lot(kit_id, given.lot, given.expires_on, given.source)
    return _keep_lot(session, lot, site_id=site_id, by=by, now=now)


def lot_said(session: Session, said: str, *, site_id: UUID, by: str, now: datetime) -> LotKnown:
    """The lot that a reading names: a scanned box, or the lot's characters.

    A lot nobody registered is kept as told, without expiry and with the usual window, so that a
    machine that only knows the characters loses no reading; the list of lots asks a person to
    complete it. A box of an item that nobody named is a kit of its own until a person names it: two
    makers print the same lot and expiry, and nobody looked at this box.
    Raises NotAKitCode, KitDiffers, and InvalidBody when several kits have that lot.
    """
    if looks_like_kit(said):
        box = parse_kit(said, today=now.astimezone(VIETNAM).date())
        known = _lot_of_item(session, box, site_id=site_id, by=by, now=now)
        return known or _register(
            session,
            LotGiven(
                name=f"{ITEM}{box.gtin}",
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
    kit_id = unseen_kit(session, site_id=site_id, now=now)
    told = _Lot(kit_id, lot, None, LotSource.TOLD)
    return _keep_lot(session, told, site_id=site_id, by=by, now=now)


@dataclass(frozen=True, slots=True)
class _Lot:
    """A lot to be kept; without its expiry only where a reading named it."""

    kit_id: UUID
    lot: str
    expires_on: date | None
    source: LotSource


def _keep_lot(session: Session, lot: _Lot, *, site_id: UUID, by: str, now: datetime) -> LotKnown:
    """Raises KitDiffers where the lot is known with another expiry date."""
    values = _values(lot, site_id)
    if lot.expires_on is not None:
        session.execute(_COMPLETED, values)
    made = _insert_lot(session, lot, site_id=site_id, by=by, now=now)
    found = _known(
        session.execute(text(f"{_LOT} AND l.kit_id = :kit AND l.lot = :lot"), values).one()
    )
    if lot.expires_on is not None and found.expires_on != lot.expires_on:
        raise KitDiffers(
            came=f"lot {lot.lot} expires on {found.expires_on}, the box says {lot.expires_on}",
            where="expires_on",
        )
    if made is not None:
        _record_lot(session, found, site_id=site_id, by=by, now=now)
    return found


def _values(lot: _Lot, site_id: UUID) -> dict[str, object]:
    return {
        "site": site_id,
        "kit": lot.kit_id,
        "lot": lot.lot,
        "expires_on": lot.expires_on,
        "source": str(lot.source),
    }


def _insert_lot(
    session: Session, lot: _Lot, *, site_id: UUID, by: str, now: datetime
) -> UUID | None:
    """None where the kit has this lot already."""
    return session.execute(
        insert(KitLot)
        .values(
            id=uuid7(),
            site_id=site_id,
            kit_id=lot.kit_id,
            lot=lot.lot,
            expires_on=lot.expires_on,
            source=lot.source,
            registered_at=now,
            registered_by=by,
        )
        .on_conflict_do_nothing()
        .returning(KitLot.id)
    ).scalar_one_or_none()


def _record_lot(session: Session, lot: LotKnown, *, site_id: UUID, by: str, now: datetime) -> None:
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="register_kit_lot",
        subject=str(lot.lot_id),
        now=now,
        kit=lot.kit,
        lot=lot.lot,
        expires_on=str(lot.expires_on or ""),
        source=str(lot.source),
    )


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
