"""How the hand-off says things: a case's state and basis, what to do, a phone half hidden."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lims.domain.lifecycle import CaseState
from lims.domain.outcomes import Basis, NoticeKind
from lims.domain.telling import Failure
from lims.web.lab_words import team as team_name
from lims.web.language import gettext as _
from lims.web.language import later, when
from lims.work.views.board import CaseRow
from lims.work.views.case_file import Gone
from lims.work.views.case_notices import NoticeLine

_SHOWN_DIGITS: Final = 3
WHY: Final = later("Say why, in 3 to 500 characters.")  # what work.claim says of a missing reason


def case_code(case_id: UUID) -> str:
    """What two people say on the telephone: the last six characters of the id."""
    return f"F0-{case_id.hex[-6:].upper()}"


def half_hidden(phone: str | None) -> str:
    """+84912345218 → 09x xxx x218: enough to know which, too little to call from the list."""
    if not phone:
        return ""
    national = "0" + phone.removeprefix("+84") if phone.startswith("+84") else phone
    hidden = "x" * max(0, len(national) - 2 - _SHOWN_DIGITS)
    digits = national[:2] + hidden + national[-_SHOWN_DIGITS:]
    return " ".join(part for part in (digits[:3], digits[3:6], digits[6:]) if part)


def national_phone(phone: str | None) -> str:
    """+84912345218 → 0912 345 218, as people dial it here."""
    if not phone or not phone.startswith("+84"):
        return phone or ""
    digits = "0" + phone.removeprefix("+84")
    return f"{digits[:4]} {digits[4:7]} {digits[7:]}"


def state_name(state: CaseState) -> str:
    """Which of the signs of the house a case carries."""
    match state:
        case CaseState.PRESUMPTIVE:
            return "presumptive"
        case CaseState.CONFIRMED:
            return "positive"
        case CaseState.NOT_CONFIRMED | CaseState.WITHDRAWN:
            return "discordant"
        case CaseState.CLOSED:
            return "waiting"


def state_words(state: CaseState) -> str:
    match state:
        case CaseState.PRESUMPTIVE:
            return _("presumptive")
        case CaseState.CONFIRMED:
            return _("confirmed")
        case CaseState.NOT_CONFIRMED:
            return _("not confirmed")
        case CaseState.WITHDRAWN:
            return _("withdrawn")
        case CaseState.CLOSED:
            return _("closed")


def basis_words(basis: Basis) -> str:
    match basis:
        case Basis.PCR:
            return _("PCR")
        case Basis.POOLED_PRESUMPTIVE:
            return _("Named by the sub-pools of a pool")
        case Basis.ANTIGEN_PRESUMPTIVE:
            return _("Rapid test")
        case Basis.ANTIGEN_CONTACT:
            return _("Rapid test of a contact (F1)")
        case Basis.ANTIGEN_SUSPECT:
            return _("Rapid test of a suspect with a factor")
        case Basis.ANTIGEN_TWICE:
            return _("Two rapid tests in time")


def next_step(row: CaseRow) -> str:  # noqa: PLR0911 - one sentence for each way to stand
    """The second line of the basis: what is known, or what comes next."""
    match row.state:
        case CaseState.PRESUMPTIVE if row.basis is Basis.ANTIGEN_PRESUMPTIVE:
            return _("a PCR test will confirm or refute it")
        case CaseState.PRESUMPTIVE if row.basis is Basis.POOLED_PRESUMPTIVE:
            return _("the own tube is tested next")
        case CaseState.PRESUMPTIVE:
            return _("waits for a reviewer's word")
        case CaseState.CONFIRMED:
            return _("confirmed by PCR")
        case CaseState.NOT_CONFIRMED:
            return _("the PCR test did not find it")
        case CaseState.WITHDRAWN:
            return _("the result no longer counts")
        case CaseState.CLOSED:
            return _("a release test ended it")


def instruction(state: CaseState) -> str:
    """What the team does now, in one breath; the same words for everybody."""
    match state:
        case CaseState.PRESUMPTIVE:
            return _("Isolate at once and list the contacts. A confirmation is on its way.")
        case CaseState.CONFIRMED:
            return _("Isolate, and list everybody met since two days before the swab.")
        case CaseState.NOT_CONFIRMED | CaseState.WITHDRAWN:
            return _(
                "Tell the person that this result no longer counts."
                " Isolation stays only for who is a contact (F1)."
            )
        case CaseState.CLOSED:
            return _("Isolation ends: a release test says so.")


def sex_words(sex: str | None) -> str:
    return {"male": _("male"), "female": _("female")}.get(sex or "", "")


def kind_words(kind: NoticeKind) -> str:
    match kind:
        case NoticeKind.CASE_OPENED:
            return _("new case")
        case NoticeKind.CASE_CONFIRMED:
            return _("confirmed")
        case NoticeKind.CASE_CORRECTED:
            return _("correction")
        case NoticeKind.CASE_CLOSED:
            return _("end of isolation")
        case NoticeKind.ALERT_RAISED:
            return _("early warning")
        case NoticeKind.ALERT_UPDATED:
            return _("early warning, changed")


def passed_on(line: NoticeLine) -> str:
    """Nobody of the team that was told claimed it, so the next ones heard of it."""
    at = when(line.passed_at)
    if not line.passed_to:
        return _("on the voice list from %(at)s", at=at)
    return _(
        "passed on to %(teams)s at %(at)s", teams=", ".join(map(team_name, line.passed_to)), at=at
    )


def channel_words(channel: str) -> str:
    return {"board": _("board"), "webhook": _("webhook"), "email": _("e-mail")}.get(
        channel, channel
    )


def failure_words(failure: Failure | None) -> str:  # noqa: PLR0911 - one for each reason
    """Why it did not arrive, as somebody says who mends it."""
    match failure:
        case None:
            return _("reason not kept")
        case Failure.UNREACHABLE:
            return _("nobody answers at the address")
        case Failure.TOO_SLOW:
            return _("answers too slowly")
        case Failure.CERTIFICATE:
            return _("its certificate is not valid")
        case Failure.PRIVATE:
            return _("the address is in a private network")
        case Failure.REDIRECTED:
            return _("sends us to another address")
        case Failure.GONE:
            return _("asked to be told no more")
        case Failure.BUSY:
            return _("is overloaded")
        case Failure.REFUSED:
            return _("refuses what we send")
        case Failure.BROKEN:
            return _("fails by itself")
        case Failure.OURS:
            return _("could not be sent from here")


def mending_words(failure: Failure | None) -> str:
    """What to do first, before it is sent again."""
    match failure:
        case Failure.UNREACHABLE | Failure.TOO_SLOW | Failure.BROKEN | Failure.BUSY | None:
            return _("Ring the office: is its system running?")
        case Failure.CERTIFICATE:
            return _("The office renews its certificate.")
        case Failure.PRIVATE | Failure.REDIRECTED | Failure.GONE:
            return _("Ask the office for an address that works, and make a new subscription.")
        case Failure.REFUSED:
            return _("Ask the office which secret or which path it expects.")
        case Failure.OURS:
            return _("See the secret of the subscription, or the mail server's setting.")


def gone_words(gone: Gone) -> str:
    """Why a result behind a case is no reason any more."""
    match gone:
        case Gone.RECALLED:
            return _("recalled: it does not count")
        case Gone.SUPERSEDED:
            return _("replaced by a newer result: it does not count")


def outcome_words(outcome: str) -> str:
    """The word of a result, with its state's colour and sign from the macro."""
    return {
        "detected": _("detected"),
        "not_detected": _("not detected"),
        "inconclusive": _("inconclusive"),
        "invalid": _("invalid"),
    }.get(outcome, outcome)
