"""What a kit is called, and which trade item (GTIN) it is: two words for one kit, joined here.

A box says the item and never the name; a person who types a lot says the name and seldom the item;
a machine's reading may bring either. Whoever says both makes one kit of what was kept as two.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.gs1 import KitCode
from lims.domain.rapid_test import USUAL_WINDOW, LotSource
from lims.domain.refusals import Conflict
from lims.tables import Kit
from lims.work.audit import record

USUAL: Final = "15 to 30 minutes, as most inserts of 2021"
UNSEEN: Final = "—"
"""The name of the kit behind lots that a reading named and nobody registered."""
ITEM: Final = "GTIN "
"""Before the number: what a kit is called that a machine's reading brought and nobody named."""


class KitDiffers(Conflict):
    """The same lot of the same kit was registered with another expiry date."""

    slug = "kit-differs"
    expected = "the expiry date this lot was registered with"
    todo = "compare the box with the list of kit lots; one of the two was misread"


def lot_called(kit: str, lot: str) -> str:
    """SQL, of two columns: "kit · lot", or the lot alone where its kit has no name."""
    return f"coalesce(nullif({kit}, '{UNSEEN}') || ' · ', '') || {lot}"


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
    return kit != UNSEEN and not kit.startswith(ITEM)


def kit_of(session: Session, given: LotGiven, *, site_id: UUID, by: str, now: datetime) -> UUID:
    """The kit of this item and name, kept if it is new.

    A kit that somebody named keeps its name and window; one that only machines told of gets these;
    one that was typed without its item number gets the number. Raises KitDiffers where the name is
    another item's.
    """
    _keep(session, given.name, given.gtin, _window(given), site_id=site_id, now=now)
    said = {"site": site_id, "gtin": given.gtin, "name": given.name}
    item = session.execute(_OF_ITEM, said).one_or_none()
    if item is not None and (is_named(item.name) or not is_named(given.name)):
        return _id(item)
    namesake = session.execute(_OF_NAME, said).one_or_none()
    if namesake is None:
        named = session.execute(_NAME, said | _window(given)).one()
    elif given.gtin is None:
        return _id(namesake)
    else:
        _refuse_other_item(given.name, namesake.gtin)
        if item is not None:
            _join(session, nameless=_id(item), named=_id(namesake))
        named = session.execute(_TAKE_ITEM, said).one()
    _record_name(session, named, site_id=site_id, by=by, now=now)
    return _id(named)


def unseen_kit(session: Session, *, site_id: UUID, now: datetime) -> UUID:
    """The kit behind lots that nobody registered."""
    _keep(session, UNSEEN, None, _USUAL_WINDOW, site_id=site_id, now=now)
    return _id(session.execute(_OF_NAME, {"site": site_id, "name": UNSEEN}).one())


def tell_item(session: Session, box: KitCode, *, site_id: UUID, by: str, now: datetime) -> None:
    """The kit that was typed with this lot and expiry, without an item number, is this item.

    For a box that a person scanned, who saw what it is; never for what a machine's reading says.
    Nothing where the item is known, or where several kits could be meant: then a person says which.
    """
    told = session.execute(
        _TELL_ITEM,
        {
            "site": site_id,
            "gtin": box.gtin,
            "lot": box.lot,
            "expires_on": box.expires_on,
            "unseen": UNSEEN,
        },
    ).one_or_none()
    if told is not None:
        _record_name(session, told, site_id=site_id, by=by, now=now)


def _id(kit: Row[Any]) -> UUID:
    found: UUID = kit.id
    return found


def _window(given: LotGiven) -> dict[str, Any]:
    return {
        "reads_from_min": given.reads_from_min,
        "reads_to_min": given.reads_to_min,
        "window_source": given.window_source,
    }


_USUAL_WINDOW: Final = {
    "reads_from_min": int(USUAL_WINDOW.opens.total_seconds() // 60),
    "reads_to_min": int(USUAL_WINDOW.closes.total_seconds() // 60),
    "window_source": USUAL,
}


def _keep(
    session: Session,
    name: str,
    gtin: str | None,
    window: dict[str, Any],
    *,
    site_id: UUID,
    now: datetime,
) -> None:
    """Nothing where the item or the name is known."""
    session.execute(
        insert(Kit)
        .values(id=uuid7(), site_id=site_id, name=name, gtin=gtin, created_at=now, **window)
        .on_conflict_do_nothing()
    )


def _refuse_other_item(name: str, gtin: str | None) -> None:
    if gtin is not None:
        raise KitDiffers(
            expected="one name for one kit", came=f"{name} is item {gtin}", where="name"
        )


def _join(session: Session, *, nameless: UUID, named: UUID) -> None:
    """One kit of two. Raises KitDiffers where they have a lot with two expiry dates.

    Whoever reads or drops strips of these lots holds them by their key: what they keep is moved
    too, and who comes later waits and finds the lot that stays.
    """
    both = {"nameless": nameless, "named": named}
    session.execute(_LOCK_LOTS, both)
    differing = session.execute(_DIFFERING, both).first()
    if differing is not None:
        raise KitDiffers(
            came=f"lot {differing.lot} expires on {differing.kept}, the box says {differing.said}",
            where="expires_on",
        )
    for step in _KITS_JOINED:
        session.execute(step, both)


def _record_name(session: Session, kit: Row[Any], *, site_id: UUID, by: str, now: datetime) -> None:
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="name_kit",
        subject=str(kit.id),
        now=now,
        name=kit.name,
        gtin=kit.gtin,
    )


_OF_ITEM = text("""
SELECT id, name, gtin FROM kit WHERE site_id = :site AND gtin = cast(:gtin AS text) FOR UPDATE
""")

_OF_NAME = text("SELECT id, name, gtin FROM kit WHERE site_id = :site AND name = :name FOR UPDATE")

_NAME = text("""
UPDATE kit SET name = :name, reads_from_min = :reads_from_min, reads_to_min = :reads_to_min,
       window_source = :window_source
WHERE site_id = :site AND gtin = :gtin
RETURNING id, name, gtin
""")

_TAKE_ITEM = text("""
UPDATE kit SET gtin = :gtin WHERE site_id = :site AND name = :name RETURNING id, name, gtin
""")

_TELL_ITEM = text("""
WITH typed AS (
    SELECT k.id, count(*) OVER () AS many
    FROM kit_lot l JOIN kit k ON k.id = l.kit_id
    WHERE l.site_id = :site AND l.lot = :lot AND l.expires_on = :expires_on
      AND k.gtin IS NULL AND k.name <> :unseen
)
UPDATE kit SET gtin = :gtin FROM typed
WHERE kit.id = typed.id AND typed.many = 1 AND kit.gtin IS NULL
  AND NOT EXISTS (SELECT FROM kit o WHERE o.site_id = :site AND o.gtin = :gtin)
RETURNING kit.id, kit.name, kit.gtin
""")

_LOCK_LOTS = text("""
SELECT FROM kit_lot WHERE kit_id IN (:nameless, :named)
  AND lot IN (SELECT lot FROM kit_lot WHERE kit_id = :nameless)
ORDER BY id FOR UPDATE
""")

_DIFFERING = text("""
SELECT k.lot, k.expires_on AS kept, l.expires_on AS said
FROM kit_lot l JOIN kit_lot k ON k.lot = l.lot AND k.kit_id = :named
WHERE l.kit_id = :nameless AND k.expires_on <> l.expires_on LIMIT 1
""")

# The strips of a lot that both had go to the lot that stays; keys are checked as a statement ends.
_LOTS_JOINED = text("""
WITH twice AS (
    SELECT l.id AS gone, k.id AS stays
    FROM kit_lot l JOIN kit_lot k ON k.lot = l.lot AND k.kit_id = :named
    WHERE l.kit_id = :nameless
), tests AS (
    UPDATE rapid_test SET kit_lot_id = stays FROM twice WHERE kit_lot_id = gone
), timers AS (
    UPDATE strip_timer SET kit_lot_id = stays FROM twice WHERE kit_lot_id = gone
)
DELETE FROM kit_lot USING twice WHERE kit_lot.id = gone
""")

_KITS_JOINED = (
    _LOTS_JOINED,
    text("UPDATE kit_lot SET kit_id = :named WHERE kit_id = :nameless"),
    text("DELETE FROM kit WHERE id = :nameless"),
)
