"""Planning: which pools need the fewest tests, what they miss, and how long they take."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for

from lims.domain.pooling.designs.configuration import Algorithm
from lims.domain.pooling.planning import (
    Asked,
    Circumstances,
    Plan,
    adaptive_sizes,
    compare,
    fixed,
    plan,
)
from lims.domain.refusals import Refusal
from lims.web.access import needs
from lims.web.language import gettext as _
from lims.web.language import laboratory, later
from lims.web.plan_adaptive import answered, simulate
from lims.web.plan_chart import drawn
from lims.web.plan_form import OFFERED, Typed, asked_of, circumstances, typed
from lims.work.access import Role
from lims.work.validation_panel import most_to_a_pool

blueprint = Blueprint("plan", __name__, url_prefix="/plan")

_LONGEST_SIZE: Final = 3  # digits
_WAYS: Final = {
    Asked.BEST.value: later("The fewest tests of all"),
    "individual": later("everybody alone"),
    "D2": later("one pool, then everybody alone"),
    "D3": later("a pool, smaller pools, then everybody alone"),
    "D4": later("a pool, pools twice smaller, then everybody alone"),
    "A2": later("rows and columns, then who lies in both"),
    "A2M": later("one pool, rows and columns, then who lies in both"),
    Asked.BAYESIAN.value: later("overlapping pools by probability, then who they point at"),
}


@dataclass(frozen=True)
class Answer:
    """The recommendation, every design beside it, and the one that was written down."""

    chosen: Plan
    every: tuple[Plan, ...]
    written: Plan | None

    @property
    def rows(self) -> tuple[Plan, ...]:
        """A D3 or D4 that comes out with fewer stages is the design before it over again."""
        found = [p for p in self.every if p.stages == Algorithm(p.algorithm).stages]
        return (*(p for p in (self.chosen,) if p not in found), *found)


@blueprint.get("")
@needs(Role.OPERATOR, Role.ADMIN)
def page() -> tuple[str, int]:
    """The form, and what it comes to. Nothing is kept: the address says everything."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        validated = most_to_a_pool(session, site_id=lab.site_id)
    form = typed(request.args, validated=validated)
    its = circumstances(form, validated=validated)
    simulated = asked_of(form) is Asked.BAYESIAN and not form.fields["configuration"]
    waiting = its is not None and simulated and "simulated" not in request.args
    answer = None if its is None or waiting else _answer(form, its)
    body = render_template(
        "plan/page.html",
        form=form.fields,
        faults=form.faults,
        validated=validated,
        offered=[(one.value, _named(one.value)) for one in OFFERED],
        way=lambda plan: _(_WAYS[plan.algorithm]),
        way_of=lambda algorithm: _(_WAYS[algorithm]),
        answer=answer,
        chart=drawn(its, answer.chosen) if its and answer else None,
        steps=_steps(form, its) if its and waiting else None,
    )
    return body, 422 if form.faults else 200


@dataclass(frozen=True)
class Steps:
    """What a page asks for, one after the other, and where the answer is then."""

    each: tuple[str, ...]
    then: str


def _steps(form: Typed, its: Circumstances) -> Steps:
    sent: dict[str, Any] = dict(form.fields)
    return Steps(
        each=tuple(url_for("plan.step", **{**sent, "size": size}) for size in adaptive_sizes(its)),
        then=url_for("plan.page", **{**sent, "simulated": 1}),
    )


@blueprint.get("/step")
@needs(Role.OPERATOR, Role.ADMIN)
def step() -> tuple[str, int]:
    """Simulate one size of pools, for the page that shows how far it is. Nothing is kept but in
    this process's memory: another one simulates it again."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        validated = most_to_a_pool(session, site_id=lab.site_id)
    form = typed(request.args, validated=validated)
    its = circumstances(form, validated=validated)
    size = request.args.get("size", "")
    if its is None or not size.isdecimal() or len(size) > _LONGEST_SIZE:
        return "", 422
    simulate(int(size), its)
    return "", 204


def _named(algorithm: str) -> str:
    way = _(_WAYS[algorithm])
    return way if algorithm == Asked.BEST.value else f"{algorithm}: {way}"


def _answer(form: Typed, its: Circumstances) -> Answer | None:
    asked, configuration = asked_of(form), form.fields["configuration"]
    try:
        if configuration:
            written = fixed(asked, configuration, its, largest=its.limits.max_pool)
            return Answer(written, tuple(compare(its)), written)
        if asked is Asked.BAYESIAN:
            return Answer(answered(its), tuple(compare(its)), None)
        return Answer(plan(asked, its), tuple(compare(its)), None)
    except Refusal as refusal:
        form.refuse(refusal, where="configuration" if configuration else "algorithm")
        return None
