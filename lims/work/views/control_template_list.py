"""Every control template of an assay, the present ones first, and how many runs each laid out."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """One version. ``controls`` are (well, role) pairs; ``newest`` of its name and format."""

    template_id: UUID
    name: str
    version: int
    format: int
    controls: tuple[tuple[str, str], ...]
    retired_at: datetime | None
    newest: bool
    runs: int


_LINES = text("""
SELECT c.id AS template_id, c.name, c.version, c.format, c.retired_at,
       c.version = max(c.version) FILTER (WHERE c.retired_at IS NULL)
           OVER (PARTITION BY c.format, c.name) IS TRUE AS newest,
       (SELECT count(*) FROM run r WHERE r.control_template_id = c.id) AS runs,
       ARRAY(SELECT w.position || ' ' || w.role FROM control_template_well w
             WHERE w.template_id = c.id ORDER BY w.position) AS controls
FROM control_template c WHERE c.site_id = :site AND c.assay_code = :assay
ORDER BY c.retired_at IS NOT NULL, c.format, c.name, c.version DESC
""")


def every_template(session: Session, *, site_id: UUID, assay: str) -> tuple[TemplateLine, ...]:
    """By format and name, the newest version first; the retired at the end."""
    rows = session.execute(_LINES, {"site": site_id, "assay": assay})
    return tuple(
        TemplateLine(
            **{
                **row._mapping,
                "controls": tuple(tuple(control.split(" ", 1)) for control in row.controls),
                "newest": bool(row.newest),
            }
        )
        for row in rows
    )
