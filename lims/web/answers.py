"""A refusal as the large block at a desk: what happened, what to do, and what it may have been."""

from dataclasses import dataclass

from lims.domain import barcodes
from lims.domain.refusals import InvalidBody, Misread, Refusal, UnknownBarcode
from lims.web.came_words import came_words
from lims.web.language import gettext as _
from lims.web.refusing import faults_of, title


@dataclass(frozen=True)
class Told:
    """What the desk is told; `suggestions` are barcodes as stored."""

    title: str
    came: str
    todo: str
    slug: str
    suggestions: tuple[str, ...] = ()
    unknown: bool = False


def told(refusal: Refusal) -> Told:
    """The block of a refusal. Faults of a form are said in one line, in their order."""
    todo = _(refusal.todo) if refusal.todo else ""
    if isinstance(refusal, InvalidBody):
        todo = " ".join(faults_of(refusal).values()) or todo
    suggestions = refusal.suggestions if isinstance(refusal, Misread) else ()
    return Told(
        title=title(type(refusal)),
        came=came_words(refusal.came),
        todo=todo[:1].upper() + todo[1:],
        slug=refusal.slug,
        suggestions=tuple(barcodes.normalise(likely) for likely in suggestions),
        unknown=isinstance(refusal, UnknownBarcode),
    )
