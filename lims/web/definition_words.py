"""How pages say on what a definition rests, and whether it judges."""

from collections.abc import Mapping
from typing import Final

from lims.domain.outcomes import Basis
from lims.web.language import gettext, later
from lims.work.views.case_definitions import Standing

_GROUNDS: Final[Mapping[Basis, str]] = {
    Basis.PCR: later("PCR of the person's own swab"),
    Basis.ANTIGEN_CONTACT: later("a positive rapid test of a contact (F1)"),
    Basis.ANTIGEN_SUSPECT: later("a positive rapid test of a suspect with a factor"),
    Basis.ANTIGEN_TWICE: later("two positive rapid tests in time, with a factor"),
}
_STANDINGS: Final[Mapping[Standing, str]] = {
    Standing.PLANNED: later("will judge"),
    Standing.IN_FORCE: later("judges now"),
    Standing.BEFORE: later("judged before"),
    Standing.REPLACED: later("replaced before it judged"),
}


def ground(one: Basis) -> str:
    return gettext(_GROUNDS[one])


def standing(one: Standing) -> str:
    return gettext(_STANDINGS[one])
