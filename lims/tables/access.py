"""Who may enter: users, roles, tokens, and the record of who did what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from lims.tables.base import Base, RowId, SiteRef


class User(Base):
    """Somebody who signs in. The password is an argon2id hash."""

    __tablename__ = "user_account"
    __table_args__ = (
        UniqueConstraint("login"),
        CheckConstraint("login ~ '^[a-z0-9._-]{2,40}$'", name="login"),
        CheckConstraint(
            "roles <@ ARRAY['technician','reviewer','tracer','operator','admin']::text[]"
            " AND cardinality(roles) > 0",
            name="roles",
        ),
    )
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    login: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Token(Base):
    """A machine's key: only its SHA-256 is kept, and it opens only its scopes."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("digest"), UniqueConstraint("site_id", "name"))
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    name: Mapped[str]
    digest: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    team_id: Mapped[UUID | None] = mapped_column(ForeignKey("team.id"))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """A failed sign-in, kept to slow the next one down, on whichever worker it lands."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index(None, "login", "at"), Index(None, "address", "at"))
    id: Mapped[RowId]
    login: Mapped[str]
    address: Mapped[str]
    at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what to what, and when. Rows are only ever added (a trigger refuses the rest)."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject"), Index(None, "site_id", "at"))
    id: Mapped[RowId]
    site_id: Mapped[SiteRef]
    at: Mapped[datetime]
    actor: Mapped[str]
    verb: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]]
