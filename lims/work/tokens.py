"""Machines enter by token: shown once, kept as a SHA-256, opening only its scopes."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain.refusals import NotFound, NotSignedIn
from lims.tables import Team, Token
from lims.work.access import Fault, refuse
from lims.work.audit import record

PREFIX: Final = "tt_"  # what every token starts with, so that scanners find leaked ones
_USED_AT_MOST_EVERY: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a machine's token opens."""

    REGISTER = "register"
    RECEIVE = "receive"
    POOL = "pool"
    RUN = "run"
    MEASURE = "measure"
    REVIEW = "review"
    RECALL = "recall"
    CASES = "cases"
    READ = "read"
    FHIR = "fhir"
    LOOKUP = "lookup"


OPEN_PEOPLE: Final = frozenset({Scope.CASES, Scope.FHIR})
"""Scopes that open names, telephones and addresses: of a team's people, or of everybody's."""


@dataclass(frozen=True)
class TokenHolder:
    """A machine at the API door; ``actor`` is how the audit trail calls it."""

    token_id: UUID
    site_id: UUID
    name: str
    scopes: frozenset[Scope]
    team_id: UUID | None

    @property
    def actor(self) -> str:
        return f"token:{self.name}"


def issue_token(
    session: Session,
    *,
    site_id: UUID,
    name: str,
    scopes: Collection[Scope],
    team_id: UUID | None = None,
    every_team: bool = False,
    by: str,
    now: datetime,
) -> str:
    """The token in plain, for the only time: 256 bits, of which the SHA-256 is kept.

    A scope that opens people is for one team's, or for everybody's when that is said in so many
    words, never by leaving the team out. Raises InvalidBody.
    """
    name = name.strip()
    faults: dict[str, Fault] = {}
    if not 1 <= len(name) <= 200:
        faults["name"] = Fault.NAME
    elif session.scalar(select(Token.id).where(Token.site_id == site_id, Token.name == name)):
        faults["name"] = Fault.NAME_TAKEN
    if not scopes:
        faults["scopes"] = Fault.SCOPES
    if OPEN_PEOPLE.intersection(scopes) and (team_id is None) is not every_team:
        faults["team"] = Fault.TEAM_OF_CASES
    elif team_id is not None and not _has_team(session, site_id, team_id):
        faults["team"] = Fault.TEAM
    refuse(faults, where="token")
    plain = PREFIX + secrets.token_urlsafe(32)
    token = Token(
        id=uuid7(),
        site_id=site_id,
        name=name,
        digest=_digest(plain),
        scopes=sorted(scopes),
        team_id=team_id,
        created_at=now,
    )
    session.add(token)
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="token-issued",
        subject=str(token.id),
        now=now,
        scopes=token.scopes,
        team=team_id and str(team_id),
        every_team=every_team,
    )
    return plain


def token_holder(session: Session, plain: str, now: datetime) -> TokenHolder:
    """Whose token this is. Raises NotSignedIn when it is unknown or revoked.

    ``last_used_at`` moves once a minute at most: a busy gateway must not rewrite its row each time.
    """
    token = session.scalar(
        select(Token).where(Token.digest == _digest(plain), Token.revoked_at.is_(None))
    )
    if token is None:
        raise NotSignedIn(came="a token that is unknown or revoked", where="Authorization")
    if token.last_used_at is None or now - token.last_used_at >= _USED_AT_MOST_EVERY:
        token.last_used_at = now
    return TokenHolder(
        token_id=token.id,
        site_id=token.site_id,
        name=token.name,
        scopes=frozenset(map(Scope, token.scopes)),
        team_id=token.team_id,
    )


def revoke_token(session: Session, token_id: UUID, *, by: str, now: datetime) -> None:
    """It opens nothing from now on. Revoking twice changes nothing. Raises NotFound."""
    token = session.get(Token, token_id)
    if token is None:
        raise NotFound(came=str(token_id), where="tokens")
    if token.revoked_at is None:
        token.revoked_at = now
        record(
            session,
            site_id=token.site_id,
            actor=by,
            verb="token-revoked",
            subject=str(token.id),
            now=now,
        )


def _has_team(session: Session, site_id: UUID, team_id: UUID) -> bool:
    found = session.scalar(select(Team.id).where(Team.id == team_id, Team.site_id == site_id))
    return found is not None


def _digest(plain: str) -> str:
    return sha256(plain.encode()).hexdigest()
