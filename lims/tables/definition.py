"""When a person is an F0: the definitions, each with the moment from which it judges."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.case_definition import MAY_CONFIRM, MOST_HOURS
from lims.tables.base import Base, RowId

_GROUNDS = ", ".join(f"'{one}'" for one in MAY_CONFIRM)


class CaseDefinitionRow(Base):
    """One version. Rows are only ever added; a trigger refuses everything else.

    Without a site it is the Ministry's, and judges everywhere where the laboratory has added no
    later one.
    """

    __tablename__ = "case_definition"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint(
            f"grounds <@ ARRAY[{_GROUNDS}]::text[] AND 'pcr' = ANY(grounds)", name="grounds"
        ),
        CheckConstraint(f"second_within_h BETWEEN 1 AND {MOST_HOURS}", name="second_within_h"),
        UniqueConstraint("site_id", "name", postgresql_nulls_not_distinct=True),
        Index(None, "site_id", "valid_from"),
    )
    id: Mapped[RowId]
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    name: Mapped[str]
    valid_from: Mapped[datetime]
    source: Mapped[str]
    grounds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    second_within_h: Mapped[int]
    added_at: Mapped[datetime]
    added_by: Mapped[str]
