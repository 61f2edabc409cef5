"""The laboratory's own words in this request's language: kinds, states, reasons, roles of wells."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from flask import Flask

from lims.domain.identity import bare_household, lives_at
from lims.domain.lifecycle import (
    CaseState,
    OrderReason,
    OrderState,
    RunState,
    Standing,
    TubeKind,
    TubeState,
)
from lims.domain.outcomes import Basis, Outcome
from lims.domain.verification import Hold
from lims.web.language import gettext, later
from lims.web.reasons import reason
from lims.work.sites import NATIONAL_DESK

# The English word of each member; a word that another page says otherwise has its own sentence.
WORDS: Final[Mapping[StrEnum, str]] = {
    TubeKind.INDIVIDUAL: later("single tube"),
    TubeKind.FIELD_POOL: later("pooled at the desk"),
    TubeKind.LAB_POOL: later("pooled in the laboratory"),
    TubeState.COLLECTED: later("on the way"),
    TubeState.RECEIVED: later("in the laboratory"),
    TubeState.REJECTED: later("rejected"),
    TubeState.DISCARDED: later("discarded"),
    OrderState.QUEUED: later("in the queue"),
    OrderState.PLATED: later("on a plate"),
    OrderState.RESULTED: later("answered"),
    OrderState.VOID: later("no evidence"),
    OrderState.CANCELLED: later("cancelled"),
    OrderReason.PRIMARY: later("first test"),
    OrderReason.RESOLVE: later("member of a positive pool"),
    OrderReason.REPEAT: later("repeat"),
    OrderReason.RERUN: later("run again"),
    OrderReason.DISCORDANT: later("pool and members disagree"),
    OrderReason.CONFIRM: later("confirms a rapid test"),
    RunState.PLANNED: later("laid out"),
    RunState.MEASURING: later("being measured"),
    RunState.VALID: later("controls passed"),
    RunState.HELD: later("held for a reviewer"),
    RunState.INVALID: later("invalid"),
    CaseState.PRESUMPTIVE: later("presumptive"),
    CaseState.CONFIRMED: later("confirmed"),
    CaseState.NOT_CONFIRMED: later("not confirmed"),
    CaseState.WITHDRAWN: later("withdrawn"),
    CaseState.CLOSED: later("closed"),
    Basis.PCR: later("PCR"),
    Basis.POOLED_PRESUMPTIVE: later("named by its pool, presumptive"),
    Basis.ANTIGEN_PRESUMPTIVE: later("rapid test, presumptive"),
    Basis.ANTIGEN_CONTACT: later("rapid test of a contact (F1)"),
    Basis.ANTIGEN_SUSPECT: later("rapid test of a suspect with a factor"),
    Basis.ANTIGEN_TWICE: later("two rapid tests in time"),
    Hold.POSITIVE: later("positive: the final word is a person's"),
    Hold.DISCORDANT: later("pool and members disagree"),
    Hold.INCONCLUSIVE: later("inconclusive: repeated by itself"),
    Hold.IDENTITY: later("identity conflict open"),
    Hold.DELTA: later("another swab was positive shortly before"),
    Hold.REVISION: later("replaces another final result"),
    Hold.WEAK: later("weak: near the cut-off"),
    Hold.CONTROLS: later("the run's controls were late"),
    Hold.POOL: later("its pool is being resolved"),
    Hold.RESWAB: later("to be swabbed again"),
    Hold.ANTIGEN: later("rapid test: its PCR is awaited"),
    Standing.MATCHED: later("counts"),
    Standing.HELD: later("held"),
    Standing.UNMATCHED: later("belongs to no test yet"),
    Standing.CORRECTION: later("another value"),
    Standing.CONTROL: later("control"),
    Standing.DISMISSED: later("dismissed"),
}
_KINDS: Final = {
    "tube_kind": TubeKind,
    "tube_state": TubeState,
    "order_state": OrderState,
    "order_reason": OrderReason,
    "run_state": RunState,
    "case_state": CaseState,
    "basis": Basis,
    "standing": Standing,
    "hold": Hold,
}
_SEXES: Final = {"male": later("male"), "female": later("female")}
_DESK: Final = later("National desk")
_ROLES: Final = {
    "negative_control": "NTC",
    "positive_control": "PC",
    "extraction_control": "EC",
}


def word(member: StrEnum) -> str:
    """The word of a member of one of the laboratory's enumerations."""
    return gettext(WORDS[member])


def word_of(value: str | None, kind: str) -> str:
    """The same for a stored word: `{{ row.kind|word("tube_kind") }}`."""
    return "—" if value is None else word(_KINDS[kind](value))


def sex(value: str | None) -> str:
    """Empty where nobody said."""
    return gettext(_SEXES[value]) if value in _SEXES else ""


def control(role: str) -> str:
    """A control as technicians write it on the plate: NTC, PC, EC."""
    return _ROLES.get(role, role)


def rule(name: str | None) -> str:
    """A rule's name in words: `sars-cov-2-av/1` says nothing to whoever has to decide."""
    kind, _slash, version = (name or "").rpartition("/")
    if not kind:
        return name or ""
    if kind == "reviewer":
        return gettext("read by a reviewer")
    if kind.endswith("-av"):
        return gettext("the release rule, version %(version)s", version=version)
    return gettext("the reading rule, version %(version)s", version=version)


def phone(stored: str | None) -> str:
    """+84912345218 → 0912 345 218, as people dial it here; a foreign number stays."""
    if not stored or not stored.startswith("+84"):
        return stored or ""
    digits = "0" + stored.removeprefix("+84")
    return f"{digits[:4]} {digits[4:7]} {digits[7:]}"


def outcome_choices(but: str) -> list[tuple[str, str]]:
    """Every word a result may say, but the one it says."""
    said = {
        Outcome.DETECTED: gettext("Positive"),
        Outcome.NOT_DETECTED: gettext("Negative"),
        Outcome.INCONCLUSIVE: gettext("Inconclusive"),
        Outcome.INVALID: gettext("Invalid"),
    }
    return [(outcome.value, text) for outcome, text in said.items() if outcome != but]


def team(name: str | None) -> str:
    """A team as it was named; the one the laboratory founds itself has a name in each language."""
    return gettext(_DESK) if name == NATIONAL_DESK else name or ""


def init_app(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.globals.update(outcome_choices=outcome_choices, lives_at=lives_at)
    app.jinja_env.filters.update(
        word=word_of,
        reason=reason,
        sex=sex,
        control=control,
        phone=phone,
        team=team,
        rule=rule,
        door=bare_household,
    )
