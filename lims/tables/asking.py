"""What national registers are asked about people, and what they answered."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lims.domain.asking import QuestionKind, QuestionState, Verdict
from lims.tables.base import Base, RowId, SiteRef, one_of


class PersonQuestion(Base):
    """One question about one person, owed to one register, and its answer.

    ``stamp`` is the SHA-256 of the number, the name and the birth that are asked about
    (lims/work/identity_stamp.py): an answer counts only while the person's is still that.
    ``current`` is the newest question of its register about the person. Somebody ``looked`` at a
    conflict, which changes nothing of the person.
    """

    __tablename__ = "person_question"
    __table_args__ = (
        one_of("kind", QuestionKind),
        one_of("state", QuestionState),
        one_of("verdict", Verdict),
        CheckConstraint("stamp ~ '^[0-9a-f]{64}$'", name="stamp"),
        CheckConstraint("attempts >= 0", name="attempts"),
        CheckConstraint("(state = 'answered') = (verdict IS NOT NULL)", name="answered"),
        CheckConstraint("(state = 'owed') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("state <> 'overtaken' OR NOT current", name="overtaken"),
        CheckConstraint(
            "coalesce(kind = 'doses' AND verdict = 'verified', false) = (doses IS NOT NULL)",
            name="doses_of",
        ),
        CheckConstraint("doses BETWEEN 0 AND 20", name="doses"),
        CheckConstraint(
            "(doses IS NULL) = (dose_dates IS NULL) AND cardinality(dose_dates) <= doses",
            name="dose_dates",
        ),
        CheckConstraint(
            "coalesce(verdict = 'conflict', false) = (differs IS NOT NULL)"
            " AND differs <@ ARRAY['name', 'birth']::text[]",
            name="differs",
        ),
        CheckConstraint(
            "(looked_at IS NULL) = (looked_by IS NULL) AND (looked_at IS NULL) = (looked_note IS"
            " NULL) AND (looked_at IS NULL OR coalesce(verdict = 'conflict', false))",
            name="looked",
        ),
        Index(
            "uq_person_question_current",
            "destination_id",
            "person_id",
            unique=True,
            postgresql_where=sql("current"),
        ),
        Index(None, "person_id"),
        Index(
            "ix_person_question_due",
            "destination_id",
            "next_attempt_at",
            "id",
            postgresql_where=sql("state = 'owed'"),
        ),
        Index(
            "ix_person_question_conflict",
            "site_id",
            "ended_at",
            postgresql_where=sql("current AND verdict = 'conflict' AND looked_at IS NULL"),
        ),
        Index(  # how many of each, without a look at the rows
            "ix_person_question_stand",
            "destination_id",
            "state",
            "verdict",
            postgresql_where=sql("current"),
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"))
    kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(  # a list that is taken back takes its people along
        ForeignKey("person.id", ondelete="CASCADE")
    )
    stamp: Mapped[str]
    state: Mapped[str] = mapped_column(default=QuestionState.OWED)
    current: Mapped[bool] = mapped_column(default=True)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    asked_by: Mapped[str]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    said: Mapped[str | None]
    verdict: Mapped[str | None]
    differs: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    doses: Mapped[int | None]
    dose_dates: Mapped[list[date] | None] = mapped_column(ARRAY(Date))
    looked_at: Mapped[datetime | None]
    looked_by: Mapped[str | None]
    looked_note: Mapped[str | None]


class Asking(Base):
    """How far a register's people were looked through: in the order of their last change.

    So a registration writes nothing for it, and somebody who changed comes by again.
    """

    __tablename__ = "asking"
    __table_args__ = (
        CheckConstraint("(looked_until IS NULL) = (looked_person_id IS NULL)", name="looked"),
    )
    destination_id: Mapped[UUID] = mapped_column(ForeignKey("destination.id"), primary_key=True)
    looked_until: Mapped[datetime | None]
    looked_person_id: Mapped[UUID | None]
