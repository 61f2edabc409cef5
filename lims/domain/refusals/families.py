"""The root and the branches: what a refusal carries, and what kind of no it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar


class Refusal(Exception):
    """The laboratory says no: what it expected, what came, where, and what to do next.

    A leaf carries its usual `expected` and `todo` on the class, so that its problem page can be
    written without an instance; a rule overrides them when it knows better.
    """

    slug: ClassVar[str] = "refused"
    expected: str = ""
    todo: str = ""

    def __init__(
        self,
        *,
        came: str = "",
        where: str = "",
        expected: str | None = None,
        todo: str | None = None,
        **facts: object,
    ) -> None:
        super().__init__()
        self.came = came
        self.where = where
        self.facts: Mapping[str, object] = facts
        if expected is not None:
            self.expected = expected
        if todo is not None:
            self.todo = todo

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        came = f", came {self.came}" if self.came else ""
        todo = f"; {self.todo}" if self.todo else ""
        return f"Expected {self.expected or 'otherwise'}{place}{came}{todo}."


def every_refusal(root: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Each leaf of the tree once, so that a test can hold a page and a status to each slug."""
    for branch in root.__subclasses__():
        if branch.__subclasses__():
            yield from every_refusal(branch)
        elif "slug" in vars(branch):
            yield branch


class Unknown(Refusal):
    """Nothing here answers to that name."""


class Malformed(Refusal):
    """It cannot be read as what it should be; sending the same again cannot help."""


class Conflict(Refusal):
    """It can be read, but what is already true forbids it."""


class Forbidden(Refusal):
    """The asker may not do or see this."""


class TooLarge(Refusal):
    """More bytes or rows than are taken at once."""


class TooMany(Refusal):
    """Asked too often; the same may be asked again later."""
