"""The units of the scheme in force, for lists that name thousands of them; and the zones."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.identity import name_key
from lims.sheets.area_book import AreaBook, Unit
from lims.work.areas import SCHEME


def zones_by_name(session: Session, site_id: UUID) -> dict[str, UUID]:
    """The zones that a list may name, by their names without accents."""
    rows = session.execute(
        text("SELECT name_key, id FROM zone WHERE site_id = :site AND closed_at IS NULL"),
        {"site": site_id},
    )
    return {row.name_key: row.id for row in rows}


def area_book(session: Session) -> AreaBook:
    """Every province and commune of the installed scheme."""
    rows = session.execute(
        text(
            "SELECT a.code, a.full_name, a.name_key, coalesce(p.name_key, '') AS province_key"
            " FROM area a LEFT JOIN area p ON p.scheme = a.scheme AND p.code = a.parent_code"
            " WHERE a.scheme = :scheme"
        ),
        {"scheme": SCHEME},
    )
    return AreaBook(
        SCHEME,
        (Unit(r.code, name_key(r.full_name), r.name_key, r.province_key) for r in rows),
    )
