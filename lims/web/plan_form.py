"""What somebody asks of the planning page: shares in percent, as a laboratory says them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lims.domain.pooling.designs.asked import (
    asked_accuracy,
    asked_clock,
    asked_limits,
    asked_probability,
)
from lims.domain.pooling.planning import Asked, Circumstances
from lims.domain.refusals import NoDesign, NotADesign, OutOfRange, PoolAboveCap, Refusal
from lims.web.language import gettext as _
from lims.web.language import later
from lims.web.refusing import said

OFFERED: Final = (Asked.BEST, Asked.D2, Asked.D3, Asked.D4, Asked.A2, Asked.A2M, Asked.BAYESIAN)
Read = TypeVar("Read")
_LONGEST: Final = 2_000
_BESIDE_FIELD: Final = (OutOfRange, NotADesign, PoolAboveCap, NoDesign)


# The domain speaks of shares; here they are typed in percent.
_IN_PERCENT: Final = {
    OutOfRange.expected: later("More than 0 and less than 100 percent."),
    "more than 0 and at most 1": later("More than 0 and at most 100 percent."),
    "a share from 0 to 1": later("From 0 to 100 percent."),
    "sensitivity and specificity that together are more than 1": later(
        "Sensitivity and specificity must together be more than 100 percent: "
        "with less, a positive means nothing."
    ),
}


class NotANumber(Exception):
    """A field that should hold a number; the message names the field."""


@dataclass(frozen=True)
class Typed:
    """The fields as they are shown again, and what is wrong beside each."""

    fields: Mapping[str, str]
    faults: dict[str, str] = field(default_factory=dict)

    def refuse(self, refusal: Exception, *, where: str) -> None:
        """Write the refusal beside its field."""
        if not isinstance(refusal, _BESIDE_FIELD):
            raise refusal
        at = refusal.where if refusal.where in self.fields else where
        percent = _IN_PERCENT.get(refusal.expected)
        self.faults.setdefault(at, _(percent) if percent else _sentence(refusal))


def typed(sent: Mapping[str, str], *, validated: int) -> Typed:
    """What was sent, or what a laboratory would begin with."""
    usual = {
        "algorithm": Asked.BEST.value,
        "prevalence": "1",
        "se": "99",
        "sp": "99",
        "max_pool": str(validated),
        "max_stages": "3",
        "min_pse": "95",
        "configuration": "",
        "run_hours": "2",
        "setup_hours": "0.75",
        "wait_hours": "0.3",
    }
    return Typed({name: sent.get(name, value)[:_LONGEST].strip() for name, value in usual.items()})


def circumstances(form: Typed, *, validated: int) -> Circumstances | None:
    """What was asked, or None with the faults written beside the fields."""
    values = form.fields
    probability = _each(
        form,
        "prevalence",
        lambda: asked_probability(_share(values, "prevalence"), where="prevalence"),
    )
    accuracy = _each(
        form, "se", lambda: asked_accuracy(_shares(values, "se"), _shares(values, "sp"))
    )
    limits = _each(
        form,
        "max_pool",
        lambda: asked_limits(
            _whole(values, "max_pool"),
            _whole(values, "max_stages"),
            _share(values, "min_pse"),
            validated=validated,
        ),
    )
    clock = _each(
        form,
        "run_hours",
        lambda: asked_clock(
            *(_number(values, name) for name in ("run_hours", "setup_hours", "wait_hours"))
        ),
    )
    if probability is None or accuracy is None or limits is None or clock is None:
        return None
    return Circumstances(probability, accuracy, limits, clock)


def asked_of(form: Typed) -> Asked:
    """The algorithm, the best of all where none of those offered was named."""
    name = form.fields["algorithm"]
    return Asked(name) if name in OFFERED else Asked.BEST


def _sentence(refusal: Refusal) -> str:
    if not isinstance(refusal, OutOfRange):
        return said(refusal)
    expected, todo = _(refusal.expected), _(refusal.todo)
    return f"{expected[:1].upper()}{expected[1:]}; {todo}."


def _each(form: Typed, where: str, read: Callable[[], Read]) -> Read | None:
    try:
        return read()
    except NotANumber as error:
        form.faults[str(error)] = _("A number is wanted here.")
    except _BESIDE_FIELD as refusal:
        form.refuse(refusal, where=where)
    return None


def _number(values: Mapping[str, str], name: str) -> float:
    try:
        return float(values[name].replace(",", "."))
    except ValueError:
        raise NotANumber(name) from None


def _whole(values: Mapping[str, str], name: str) -> int:
    if not values[name].isdecimal() or len(values[name]) > 6:
        raise NotANumber(name)
    return int(values[name])


def _share(values: Mapping[str, str], name: str) -> float:
    """Percent as typed; rounded, so that 98 is .98 and not its neighbour."""
    return round(_number(values, name) / 100, 12)


def _shares(values: Mapping[str, str], name: str) -> list[float]:
    """One for all stages, or one a stage, parted by semicolons (a comma may be a decimal's)."""
    return [_share({name: one}, name) for one in values[name].split(";")]
