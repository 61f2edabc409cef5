"""About who asks: not allowed, too much at once, too often."""

from __future__ import annotations

from lims.domain.refusals.families import Forbidden, TooLarge, TooMany


class NotSignedIn(Forbidden):
    slug = "not-signed-in"
    expected = "a signed-in person or a valid token"
    todo = "sign in, or send the token in the Authorization header"


class WrongScope(Forbidden):
    slug = "wrong-scope"
    expected = "a role and an area that allow this"
    todo = "ask an operator for the role, or hand over to someone who has it"


class NotYourRegistration(Forbidden):
    slug = "not-your-registration"
    expected = "a registration made under your own name"
    todo = "ask whoever registered it, or reject the tube at the laboratory's door"


class ForgedForm(Forbidden):
    slug = "csrf"
    expected = "the form as this site issued it to you"
    todo = "load the page again and send the form once more"


class BodyTooLarge(TooLarge):
    slug = "body-too-large"
    expected = "no more bytes or rows than the limit"
    todo = "send it in smaller parts"


class TooManyAttempts(TooMany):
    """`retry_after_s` is in whole seconds, as the Retry-After header counts (RFC 9110, 10.2.3)."""

    slug = "too-many-attempts"
    expected = "fewer attempts in this time"
    todo = "wait, then try again"

    def __init__(self, *, retry_after_s: int, came: str = "", where: str = "") -> None:
        super().__init__(came=came, where=where, retry_after_s=retry_after_s)
