"""Whose token a request carries, remembered for a moment."""

import time

from flask import request

from lims.db.laboratory import Laboratory
from lims.domain.refusals import NotSignedIn, WrongScope
from lims.work.tokens import Scope, TokenHolder, token_holder

TOKEN_MEMORY_S = 2.0  # how long a revoked token may still open a door
_MOST = 1000


class Bearers:
    """The holders of one door's tokens."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, TokenHolder]] = {}

    def holder(self, laboratory: Laboratory, scope: Scope) -> TokenHolder:
        """Raises NotSignedIn, WrongScope."""
        holder = self._known(laboratory, token_carried())
        if scope not in holder.scopes:
            raise WrongScope(
                expected=f"a token with the scope {scope}",
                came="a token for " + ", ".join(sorted(holder.scopes)),
                where=request.path,
                todo="ask an administrator for a token with this scope",
            )
        return holder

    def still_in(self, laboratory: Laboratory, plain: str, scope: Scope) -> bool:
        """Whether this token opens the door at this moment too: a stream outlives its request."""
        try:
            return scope in self._known(laboratory, plain).scopes
        except NotSignedIn:
            return False

    def _known(self, laboratory: Laboratory, plain: str) -> TokenHolder:
        known = self._tokens.get(plain)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        with laboratory.sessions.begin() as session:
            holder = token_holder(session, plain, laboratory.clock())
        if len(self._tokens) > _MOST:
            self._tokens.clear()
        self._tokens[plain] = (time.monotonic() + TOKEN_MEMORY_S, holder)
        return holder


def token_carried() -> str:
    """Of the request. Raises NotSignedIn."""
    header = request.headers.get("Authorization", "")
    kind, _, plain = header.partition(" ")
    if kind.lower() != "bearer" or not plain:
        raise NotSignedIn(came="no token", where="Authorization")
    return plain
