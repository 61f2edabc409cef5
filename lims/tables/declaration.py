"""Who is expected at the desk: what people declared on another system's app, before any swab."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.declarations import DeclarationKind, DeclarationState
from lims.domain.rapid_test import Exposure
from lims.tables.base import Base, RowId, SiteRef, one_of


class Declaration(Base):
    """The newest version of one declaration. ``subject_id`` is its id on its platform.

    ``household_id`` is given with the first version and stays: the people of a later one come to
    the same door. ``commune_came`` is a commune as it was said, where none of today is meant by it.
    A withdrawn one keeps nothing of anybody but its door; one that was forgotten (``forgotten_at``,
    so long after its newest version was taken) is as if withdrawn until a newer version comes, and
    has its door only while somebody known here lives behind it.
    """

    __tablename__ = "declaration"
    __table_args__ = (
        one_of("state", DeclarationState),
        one_of("kind", DeclarationKind),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint(
            "CASE state WHEN 'declared' THEN kind IS NOT NULL AND code IS NOT NULL ELSE"
            " num_nonnulls(kind, code, door, address, area_code, commune_came) = 0 END",
            name="withdrawn",
        ),
        CheckConstraint("kind <> 'household' OR household_id IS NOT NULL", name="household"),
        CheckConstraint("forgotten_at IS NULL OR state = 'withdrawn'", name="forgotten"),
        CheckConstraint("(area_code IS NULL) = (area_scheme IS NULL)", name="area"),
        CheckConstraint("area_code IS NULL OR commune_came IS NULL", name="commune"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        UniqueConstraint("destination_id", "subject_id"),
        Index(None, "destination_id", "declared_at"),
        Index(None, "site_id", "code", postgresql_where=sql("code IS NOT NULL")),
        Index(None, "household_id", postgresql_where=sql("household_id IS NOT NULL")),
        Index(
            "ix_declaration_kept",
            "site_id",
            "taken_at",
            postgresql_where=sql("forgotten_at IS NULL"),
        ),
        Index(
            "ix_declaration_commune_came",
            "destination_id",
            postgresql_where=sql("commune_came IS NOT NULL"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    subject_id: Mapped[UUID]
    version: Mapped[int]
    state: Mapped[str]
    kind: Mapped[str | None]
    code: Mapped[str | None]
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("household.id"))
    door: Mapped[str | None]
    address: Mapped[str | None]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    commune_came: Mapped[str | None]
    declared_at: Mapped[datetime]
    taken_at: Mapped[datetime]
    forgotten_at: Mapped[datetime | None]


class DeclaredPerson(Base):
    """One person of a declaration: nobody's record yet, and no identity beyond their own word.

    ``specimen_id`` is the swab that they came for; one that was taken back is none, and so they are
    expected again (no foreign key, therefore).
    """

    __tablename__ = "declared_person"
    __table_args__ = (
        one_of("exposure", Exposure),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint("sex IN ('male', 'female')", name="sex"),
        CheckConstraint("birth_year BETWEEN 1880 AND 2100", name="birth_year"),
        CheckConstraint(
            "birth_date IS NULL OR extract(year FROM birth_date) = birth_year", name="birth_date"
        ),
        CheckConstraint("national_id ~ '^[0-9]{12}$'", name="national_id"),
        CheckConstraint("old_id ~ '^[0-9]{9}$'", name="old_id"),
        CheckConstraint(r"phone ~ '^\+[0-9]{8,15}$'", name="phone"),
        UniqueConstraint("declaration_id", "member"),
        Index(None, "site_id", "national_id", postgresql_where=sql("national_id IS NOT NULL")),
        Index(None, "site_id", "phone", postgresql_where=sql("phone IS NOT NULL")),
        Index(None, "site_id", "qid", postgresql_where=sql("qid IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    declaration_id: Mapped[UUID] = mapped_column(ForeignKey("declaration.id"))
    member: Mapped[str]
    name: Mapped[str]
    birth_year: Mapped[int | None]
    birth_date: Mapped[date | None]
    sex: Mapped[str | None]
    phone: Mapped[str | None]
    national_id: Mapped[str | None]
    old_id: Mapped[str | None]
    qid: Mapped[str | None]
    symptoms: Mapped[list[Any]]
    exposure: Mapped[str]
    specimen_id: Mapped[UUID | None]


class DeclarationFault(Base):
    """An entry that could not be read: as it came, with every reason, until a version that can be
    read comes or somebody says that it is dealt with; then only that it was."""

    __tablename__ = "declaration_fault"
    __table_args__ = (
        CheckConstraint("digest ~ '^[0-9a-f]{64}$'", name="digest"),
        CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="settled"),
        CheckConstraint("(settled_at IS NULL) = (entry IS NOT NULL)", name="entry"),
        UniqueConstraint("destination_id", "digest"),
        Index(
            "ix_declaration_fault_open",
            "destination_id",
            "seen_at",
            postgresql_where=sql("settled_at IS NULL"),
        ),
        Index(
            None,
            "destination_id",
            "subject_id",
            postgresql_where=sql("subject_id IS NOT NULL"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    digest: Mapped[str]
    subject_id: Mapped[UUID | None]
    version: Mapped[int | None]
    entry: Mapped[str | None]
    faults: Mapped[list[Any]]
    seen_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
