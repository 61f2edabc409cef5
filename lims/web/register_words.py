"""How pages say what registers answered about people."""

from collections.abc import Iterable, Mapping
from typing import Final

from lims.domain.asking import Differs, QuestionKind, QuestionState, Verdict
from lims.domain.exchange import DestinationKind
from lims.web.language import gettext, later
from lims.work.views.asked_about import AskedOf

_VERDICTS: Final[Mapping[Verdict, str]] = {
    Verdict.VERIFIED: later("the number is theirs"),
    Verdict.UNVERIFIED: later("does not know the number"),
    Verdict.CONFLICT: later("the number is somebody else's"),
}
_DIFFERS: Final[Mapping[Differs, str]] = {
    Differs.NAME: later("another name"),
    Differs.BIRTH: later("another birth"),
}
_KINDS: Final[Mapping[DestinationKind, str]] = {
    DestinationKind.POPULATION: later("Population database"),
    DestinationKind.VACCINATION: later("Vaccination register"),
}
_ASKED: Final[Mapping[QuestionKind, str]] = {
    QuestionKind.IDENTITY: later("Card number"),
    QuestionKind.DOSES: later("Vaccine doses"),
}
_STATES: Final[Mapping[QuestionState, str]] = {
    QuestionState.OWED: later("not answered yet"),
    QuestionState.REFUSED: later("refused to say"),
}


def verdict(one: Verdict) -> str:
    return gettext(_VERDICTS[one])


def kind(one: DestinationKind) -> str:
    return gettext(_KINDS[one])


def asked(one: QuestionKind) -> str:
    """What it was asked, as the heading of its answer."""
    return gettext(_ASKED[one])


def state(one: QuestionState) -> str:
    """Of a question without an answer."""
    return gettext(_STATES[one])


def differs(those: Iterable[Differs]) -> str:
    """ "another name, another birth"; nothing where the register did not say."""
    found = set(those)
    return ", ".join(gettext(said) for one, said in _DIFFERS.items() if one in found)


def answer(one: AskedOf) -> str:
    """One register's word in short: "2 doses", "the number is somebody else's: another name"."""
    if one.verdict is None:
        return state(one.state)
    if one.verdict is Verdict.CONFLICT and one.differs:
        return f"{verdict(one.verdict)}: {differs(one.differs)}"
    return verdict(one.verdict)
