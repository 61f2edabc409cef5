"""Who: persons, households, and the swabs taken from them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUUID
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.lifecycle import RecollectionState
from lims.domain.registration import AddressKind
from lims.tables.base import Base, ChangedAt, RowId, SiteRef, one_of


class Household(Base):
    """People who share a door: the unit of a field pool and of a re-swab sheet."""

    __tablename__ = "household"
    __table_args__ = (
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        Index(None, "area_scheme", "area_code"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    label: Mapped[str]
    address: Mapped[str | None]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    created_at: Mapped[datetime]


class Person(Base):
    """One human being. The name is kept as written (NFC); ``name_key`` is what search reads.

    ``old_id`` is the nine-digit number of the card before the twelve digits, where the chip card
    still says it.
    """

    __tablename__ = "person"
    __table_args__ = (
        Index(None, "site_id", "changed_at", "id"),
        CheckConstraint("sex IN ('male', 'female')", name="sex"),
        CheckConstraint("birth_year BETWEEN 1880 AND 2100", name="birth_year"),
        CheckConstraint(
            "birth_date IS NULL OR extract(year FROM birth_date) = birth_year", name="birth_date"
        ),
        CheckConstraint("national_id ~ '^[0-9]{12}$'", name="national_id"),
        CheckConstraint("old_id ~ '^[0-9]{9}$'", name="old_id"),
        CheckConstraint(r"phone ~ '^\+[0-9]{8,15}$'", name="phone"),
        CheckConstraint("length(name) BETWEEN 1 AND 200", name="name"),
        CheckConstraint("merged_into_id <> id", name="merged_into"),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        ForeignKeyConstraint(["work_area_scheme", "work_area_code"], ["area.scheme", "area.code"]),
        Index("uq_person_national_id", "site_id", "national_id", unique=True),
        Index(  # a name as it begins, in order, whatever the database's collation is
            "ix_person_name",
            "site_id",
            "name_key",
            "birth_year",
            postgresql_ops={"name_key": "text_pattern_ops"},
        ),
        Index(  # by the last word of the name: Vietnamese people are called by it
            "ix_person_given",
            "site_id",
            literal_column("substring(name_key, '[^ ]+$')").label("given"),
            "name_key",
            postgresql_ops={"given": "text_pattern_ops", "name_key": "text_pattern_ops"},
        ),
        Index(None, "old_id", postgresql_where=text("old_id IS NOT NULL")),
        Index(None, "phone", postgresql_where=text("phone IS NOT NULL")),
        Index(None, "household_id", postgresql_where=text("household_id IS NOT NULL")),
        Index(None, "merged_into_id", postgresql_where=text("merged_into_id IS NOT NULL")),
        Index(None, "site_id", "area_scheme", "area_code"),
        Index("ix_person_doubt", "site_id", postgresql_where=text("identity_conflict IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    name_key: Mapped[str]
    birth_year: Mapped[int | None]
    birth_date: Mapped[date | None]
    sex: Mapped[str | None]
    phone: Mapped[str | None]
    national_id: Mapped[str | None]
    old_id: Mapped[str | None]
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("household.id"))
    address: Mapped[str | None]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    work_area_scheme: Mapped[str | None]
    work_area_code: Mapped[str | None]
    identity_conflict: Mapped[str | None]
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[ChangedAt]


class PersonMerge(Base):
    """Two rows that a reviewer said are one human being, and what moved, so that it can go back.

    ``moved`` are the swabs that changed hands; ``took_number``: the card number went along.
    """

    __tablename__ = "person_merge"
    __table_args__ = (
        CheckConstraint("kept_id <> merged_id", name="two"),
        CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone"),
        Index(
            "uq_person_merge_open",
            "merged_id",
            unique=True,
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index(None, "kept_id"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    kept_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    moved: Mapped[list[UUID]] = mapped_column(ARRAY(PgUUID(as_uuid=True)))
    took_number: Mapped[bool]
    reason: Mapped[str]
    merged_at: Mapped[datetime]
    merged_by: Mapped[str]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class Specimen(Base):
    """A swab taken from one person at one moment. The tube it sits in is another thing."""

    __tablename__ = "specimen"
    __table_args__ = (
        CheckConstraint("material IN ('swab', 'antigen')", name="material"),
        UniqueConstraint("id", "person_id"),  # what is said of a swab is said of its person
        Index(None, "person_id"),
        Index(None, "site_id", "collected_at"),
        Index(  # a desk's own last work; what machines register does not pay for it
            "ix_specimen_desk",
            "registered_by",
            "registered_at",
            postgresql_where=text("starts_with(registered_by, 'user:')"),
        ),
        Index(None, "import_job_id", postgresql_where=text("import_job_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    import_job_id: Mapped[UUID | None] = mapped_column(ForeignKey("import_job.id"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaign.id"))
    material: Mapped[str] = mapped_column(default="swab")
    collected_at: Mapped[datetime]
    registered_at: Mapped[datetime]
    registered_by: Mapped[str]
    body_digest: Mapped[str]


class CardDoubt(Base):
    """A card as it was given with a swab, under a number that is registered to another card (S16).

    ``person_id`` is whose number it is. Until a reviewer decides, the swab stands under that
    person; a mistyped number then moves to ``became_id``, the person the card names.
    """

    __tablename__ = "card_doubt"
    __table_args__ = (
        CheckConstraint("decision IN ('same', 'other')", name="decision"),
        CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND"
            " (decision IS NULL) = (decided_by IS NULL)",
            name="decided",
        ),
        CheckConstraint(
            "(decision IS NOT DISTINCT FROM 'other') = (became_id IS NOT NULL)", name="became"
        ),
        ForeignKeyConstraint(["area_scheme", "area_code"], ["area.scheme", "area.code"]),
        ForeignKeyConstraint(["work_area_scheme", "work_area_code"], ["area.scheme", "area.code"]),
        UniqueConstraint("specimen_id"),
        Index(None, "person_id"),
        Index(None, "became_id", postgresql_where=text("became_id IS NOT NULL")),
        Index(
            "ix_card_doubt_open",
            "site_id",
            "created_at",
            postgresql_where=text("decided_at IS NULL"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    specimen_id: Mapped[UUID] = mapped_column(  # the doubt is written with the person, before it
        ForeignKey("specimen.id", deferrable=True, initially="DEFERRED")
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    birth_year: Mapped[int | None]
    birth_date: Mapped[date | None]
    sex: Mapped[str | None]
    phone: Mapped[str | None]
    household_id: Mapped[UUID | None] = mapped_column(ForeignKey("household.id"))
    address: Mapped[str | None]
    area_scheme: Mapped[str | None]
    area_code: Mapped[str | None]
    work_area_scheme: Mapped[str | None]
    work_area_code: Mapped[str | None]
    created_at: Mapped[datetime]
    decision: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    became_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))


class AddressDoubt(Base):
    """An F0's address that no commune of today answers to, as it came (S18).

    ``scheme`` and ``code`` are empty when no commune was said. Until somebody chooses the unit it
    ``became``, the case stands with the province or the national desk.
    """

    __tablename__ = "address_doubt"
    __table_args__ = (
        one_of("kind", AddressKind),
        CheckConstraint("(scheme IS NULL) = (code IS NULL)", name="came"),
        CheckConstraint("kind = 'home' OR code IS NOT NULL", name="workplace"),
        CheckConstraint(
            "(settled_at IS NULL) = (settled_by IS NULL) AND"
            " (settled_at IS NULL) = (became_scheme IS NULL) AND"
            " (settled_at IS NULL) = (became_code IS NULL)",
            name="settled",
        ),
        ForeignKeyConstraint(["scheme", "code"], ["area.scheme", "area.code"]),
        ForeignKeyConstraint(["became_scheme", "became_code"], ["area.scheme", "area.code"]),
        Index(
            "uq_address_doubt_open",
            "person_id",
            "kind",
            unique=True,
            postgresql_where=text("settled_at IS NULL"),
        ),
        Index(None, "person_id"),
        Index(
            "ix_address_doubt_waiting",
            "site_id",
            "created_at",
            postgresql_where=text("settled_at IS NULL"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    scheme: Mapped[str | None]
    code: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    became_scheme: Mapped[str | None]
    became_code: Mapped[str | None]


class Recollection(Base):
    """A person to be swabbed again, because the tube cannot tell (S3, S7)."""

    __tablename__ = "recollection"
    __table_args__ = (
        one_of("state", RecollectionState),
        CheckConstraint("(state = 'done') = (done_specimen_id IS NOT NULL)", name="done"),
        Index(None, "specimen_id", unique=True),
        Index(None, "person_id"),
        Index(None, "site_id", "created_at", postgresql_where=text("state = 'open'")),
        Index(  # how long swabbing again lately took
            "ix_recollection_done",
            "site_id",
            "ended_at",
            postgresql_where=text("state = 'done'"),
        ),
        Index(None, "done_specimen_id", postgresql_where=text("done_specimen_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    specimen_id: Mapped[UUID] = mapped_column(ForeignKey("specimen.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    why: Mapped[str]
    state: Mapped[str] = mapped_column(default=RecollectionState.OPEN)
    done_specimen_id: Mapped[UUID | None] = mapped_column(ForeignKey("specimen.id"))
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
