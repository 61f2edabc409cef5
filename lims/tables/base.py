"""What every row has: a time-ordered id, its site, aware UTC times, named constraints."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, MetaData, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

from lims.db.ids import uuid7

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

RowId = Annotated[UUID, mapped_column(PgUUID(as_uuid=True), primary_key=True, default=uuid7)]
SiteRef = Annotated[UUID, mapped_column(ForeignKey("site.id"))]
ChangedAt = Annotated[  # by the database's own clock; triggers move it (migration "exchange")
    datetime, mapped_column(DateTime(timezone=True), server_default=text("clock_timestamp()"))
]


class Base(DeclarativeBase):
    """The one metadata, with names that migrations can rely on."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads this class attribute by name
        str: Text,
        datetime: DateTime(timezone=True),
        UUID: PgUUID(as_uuid=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A CHECK that stores only the words of the enumeration."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)
