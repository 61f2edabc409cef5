"""Load the administrative units. Codes are stored with their scheme; loading again is safe."""

from importlib.metadata import version

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from vietnam_provinces import Province, Ward

from lims.domain.identity import name_key
from lims.tables import Area

SCHEME = f"vn-{version('vietnam-provinces')}"


def load_areas(session: Session) -> int:
    """Write every province (2 digits) and commune (5 digits) of the installed scheme.

    Source: the package vietnam-provinces, which follows the General
    Statistics Office's list (two levels since 1 July 2025). An area whose name
    changed within the scheme is renamed; nothing is ever deleted, since people
    live there. Returns the number of units in the scheme.
    """
    provinces = [_row(f"{p.code.value:02d}", "province", None, p.name) for p in Province.iter_all()]
    wards = [
        _row(f"{w.code.value:05d}", "ward", f"{w.province_code.value:02d}", w.name)
        for w in Ward.iter_all()
    ]
    for rows in (provinces, wards):
        statement = insert(Area).values(rows)
        session.execute(
            statement.on_conflict_do_update(
                index_elements=[Area.scheme, Area.code],
                set_={
                    "name": statement.excluded.name,
                    "name_key": statement.excluded.name_key,
                    "full_name": statement.excluded.full_name,
                },
                where=Area.name != statement.excluded.name,
            )
        )
    return len(provinces) + len(wards)


def _row(code: str, level: str, parent: str | None, name: str) -> dict[str, str | None]:
    short = name
    for kind in ("Thành phố ", "Tỉnh ", "Phường ", "Xã ", "Đặc khu "):
        if name.startswith(kind):
            short = name.removeprefix(kind)
            break
    return {
        "scheme": SCHEME,
        "code": code,
        "level": level,
        "parent_code": parent,
        "name": short,
        "name_key": name_key(short),
        "full_name": name,
    }
