"""How dangerous a case may become: what was asked of the person, and the rules that judged it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.triage import Colour, Fact, Illness, Signs
from lims.tables.base import Base, RowId, SiteRef, one_of

_ILLNESSES = ", ".join(f"'{one}'" for one in Illness)
_FACTS = ", ".join(f"'{one}'" for one in Fact)


class TriageTable(Base):
    """A table of rules of a site; the newest holds. Rows are only ever added."""

    __tablename__ = "triage_table"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint("jsonb_array_length(rules) BETWEEN 1 AND 40", name="rules"),
        UniqueConstraint("site_id", "name"),
        Index(None, "site_id", "added_at"),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    source: Mapped[str]
    rules: Mapped[list[Any]]
    added_at: Mapped[datetime]
    added_by: Mapped[str]


class CaseTriage(Base):
    """What was known of a case's person, and its colour by the table of that moment.

    ``age_years`` as asked, for somebody whose year of birth is not known.
    ``illnesses`` null: not asked; empty: none. ``missing``: the facts without which no colour could
    be given. ``doses_answer_id``: a register said how many doses, and nobody who asked the person.
    """

    __tablename__ = "case_triage"
    __table_args__ = (
        one_of("signs", Signs),
        one_of("colour", Colour),
        CheckConstraint(f"illnesses <@ ARRAY[{_ILLNESSES}]::text[]", name="illnesses"),
        CheckConstraint(f"missing <@ ARRAY[{_FACTS}]::text[]", name="missing"),
        CheckConstraint("age_years BETWEEN 0 AND 130", name="age_years"),
        CheckConstraint("doses BETWEEN 0 AND 20", name="doses"),
        CheckConstraint("doses_answer_id IS NULL OR doses IS NOT NULL", name="doses_answer"),
        CheckConstraint("spo2_percent BETWEEN 50 AND 100", name="spo2_percent"),
        CheckConstraint("colour IS NULL OR missing = '{}'", name="colour_or_missing"),
        Index("uq_case_triage_current", "case_id", unique=True, postgresql_where=text("current")),
        Index(None, "doses_answer_id", postgresql_where=text("doses_answer_id IS NOT NULL")),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    case_id: Mapped[UUID] = mapped_column(ForeignKey("f0_case.id"))
    age_years: Mapped[int | None]
    illnesses: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    doses: Mapped[int | None]
    doses_answer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person_question.id"))
    spo2_percent: Mapped[int | None]
    signs: Mapped[str | None]
    onset_on: Mapped[date | None]
    colour: Mapped[str | None]
    missing: Mapped[list[str]] = mapped_column(ARRAY(Text))
    by_table: Mapped[str]
    current: Mapped[bool] = mapped_column(default=True)
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
