"""What came of releasing several findings, in words: how many, and each that was left alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lims.domain.signing import DONE, Came, Signed
from lims.web.language import gettext as _
from lims.web.language import ngettext, when
from lims.web.names import who


@dataclass(frozen=True)
class Left:
    """One finding that was not released: whose, and why not."""

    name: str
    person_id: UUID | None
    why: str


@dataclass(frozen=True)
class Report:
    """``done`` is empty when nothing was released."""

    done: str
    left: tuple[Left, ...]


def reported(came: Sequence[Signed], names: Mapping[UUID, str], *, by: str) -> Report:
    """The report of one act. What oneself had released already is done, not left."""
    own = [one for one in came if one.came is Came.ALREADY and one.by == by]
    released = sum(one.came is Came.RELEASED for one in came) + len(own)
    signed = sum(one.came is Came.SIGNED for one in came)
    done = []
    if released:
        done.append(ngettext("%(num)s result released", "%(num)s results released", released))
    if signed:
        done.append(
            ngettext(
                "%(num)s signed; a second reviewer releases it",
                "%(num)s signed; a second reviewer releases them",
                signed,
            )
        )
    left = [
        Left(names.get(one.finding_id, "—"), one.person_id, _why(one))
        for one in came
        if one.came not in DONE and one not in own
    ]
    return Report(" · ".join(done), tuple(left))


def _why(one: Signed) -> str:
    by, at = who(one.by), when(one.at)
    if one.came is Came.CHANGED and one.status == "P" and one.by:
        return _("%(by)s signed it at %(at)s. Yours would be the final word.", by=by, at=at)
    return {
        Came.ALREADY: _("%(by)s released it at %(at)s; nothing is left to do.", by=by, at=at),
        Came.CHANGED: _("It changed since you saw it: look at what is new, then decide again."),
        Came.SAME_PERSON: _("You signed it at %(at)s; another reviewer must release it.", at=at),
        Came.IDENTITY: _(
            "Its identity conflict is open: decide whose the number is, then release."
        ),
        Came.NOT_SIGNABLE: _("Another test or swab answers it first."),
    }.get(one.came, _("It is not in this laboratory any more."))
