"""``lims plan …``: what pooling would cost, miss and take, before a swab is taken."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lims.console import as_json, say

if TYPE_CHECKING:
    from lims.domain.pooling.planning import Circumstances

ALGORITHMS = ("D2", "D3", "D4", "A2", "A2M", "best", "bayesian")
_MOST_BYTES = 1_000_000
_LONG = 10_000_000


@click.group()
def plan() -> None:
    """Plan pools before the day begins."""


def _shares(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(one) for one in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text} is no number, and no list such as 0.98,0.99") from None


@plan.command("pools")
@click.option(
    "--algorithm",
    type=click.Choice(ALGORITHMS, case_sensitive=False),
    default="best",
    show_default=True,
    help="best: the fewest expected tests of all that keep to the limits.",
)
@click.option("--prevalence", type=float, help="Everybody's probability of being positive.")
@click.option(
    "--risk",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="In place of it, a CSV of one probability a person.",
)
@click.option(
    "--se",
    default="0.99",
    show_default=True,
    callback=_shares,
    metavar="SHARE[,SHARE…]",
    help="Sensitivity of a test: one for all stages, or one a stage, the largest pools first.",
)
@click.option(
    "--sp",
    default="0.99",
    show_default=True,
    callback=_shares,
    metavar="SHARE[,SHARE…]",
    help="Specificity, in the same way.",
)
@click.option(
    "--max-pool",
    type=int,
    help="The most people in one pool, 2 to 100; of an array in a row, and in its master pool. "
    "If left out 40, or with --site what the laboratory has validated; a --configuration is then "
    "taken as it is.",
)
@click.option("--max-stages", type=int, default=4, show_default=True, help="Rounds of testing.")
@click.option(
    "--min-pse",
    type=float,
    default=0.0,
    show_default=True,
    help="The least pooling sensitivity; with --risk of each person.",
)
@click.option(
    "--configuration",
    metavar="DESIGN",
    help="Fix the design in place of searching: 11, '25: 5x5', '40: 7,7,7,7,6,6', "
    "'36: 9(3x3)x4', 12x12.",
)
@click.option("--run-hours", type=float, default=2.0, show_default=True, help="Of one run.")
@click.option(
    "--setup-hours", type=float, default=0.75, show_default=True, help="Of setting a stage up."
)
@click.option(
    "--wait-hours",
    type=float,
    default=0.3,
    show_default=True,
    help="Median wait for a free machine, at each stage.",
)
@click.option("--site", "of_site", is_flag=True, help="Hold to this laboratory's largest pool.")
@as_json
def plan_pools(algorithm: str, configuration: str | None, *, as_json: bool, **options: Any) -> None:
    """The pools that need the fewest tests, what they miss, and how long they take.

    Tests are taken to err independently of each other. Hours count from the first pool found
    positive to the last answer of its people. With --risk people are sorted by probability, and
    the designs take them from the least likely on; whoever gains nothing from a pool is tested
    alone. Exit 2 says what cannot be planned, and why.
    """
    from lims.domain.pooling.planning import Asked, fixed
    from lims.domain.pooling.planning import plan as planned
    from lims.domain.refusals import Refusal

    asked = Asked(next(name for name in ALGORITHMS if name.lower() == algorithm.lower()))
    try:
        circumstances = _circumstances(**options)
        if configuration is None and asked in {Asked.BEST, Asked.D4}:
            _announce(circumstances)
        said = options["max_pool"] is not None or options["of_site"]
        largest = circumstances.limits.max_pool if said else None
        found = (
            planned(asked, circumstances)
            if configuration is None
            else fixed(asked, configuration, circumstances, largest=largest)
        )
    except Refusal as refusal:
        raise click.UsageError(str(refusal)) from refusal
    say(asdict(found), as_json=as_json, human=_sentences)


def _announce(its: "Circumstances") -> None:
    """Four stages of many people in large pools take up to a minute: say so before."""
    people = 1 if isinstance(its.probabilities, float) else len(its.probabilities)
    if its.limits.max_stages > 3 and people * its.limits.max_pool**3 > _LONG:
        click.echo(f"weighing pools of {people:,} people; four stages take a while …", err=True)


def _circumstances(
    *,
    prevalence: float | None,
    risk: Path | None,
    se: tuple[float, ...],
    sp: tuple[float, ...],
    max_pool: int | None,
    max_stages: int,
    min_pse: float,
    run_hours: float,
    setup_hours: float,
    wait_hours: float,
    of_site: bool,
) -> "Circumstances":
    from lims.domain.pooling.designs.asked import (
        asked_accuracy,
        asked_clock,
        asked_limits,
        asked_probability,
    )
    from lims.domain.pooling.designs.optimal import USUAL_MAX_POOL
    from lims.domain.pooling.planning import Circumstances

    if prevalence is not None and risk is None:
        probabilities: float | tuple[float, ...] = asked_probability(prevalence, where="prevalence")
    elif risk is not None and prevalence is None:
        probabilities = _risks(risk)
    else:
        raise click.UsageError("give --prevalence, or --risk with a list, and not both")
    validated = _validated() if of_site else None
    most = max_pool if max_pool is not None else validated or USUAL_MAX_POOL
    return Circumstances(
        probabilities,
        asked_accuracy(se, sp),
        asked_limits(most, max_stages, min_pse, validated=validated),
        asked_clock(run_hours, setup_hours, wait_hours),
    )


def _risks(path: Path) -> tuple[float, ...]:
    from lims.domain.pooling.designs.risk_list import read_risks
    from lims.domain.refusals import NotUtf8

    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise click.UsageError(
            f"{path} is larger than {_MOST_BYTES:,} bytes: a list of risks is not"
        )
    try:
        return read_risks(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise NotUtf8(came=str(path), where="--risk") from error


def _validated() -> int:
    """The largest pool of this laboratory's policy, or of its validation panel where smaller."""
    from lims.console import settings
    from lims.opening import open_laboratory
    from lims.work.validation_panel import most_to_a_pool

    laboratory = open_laboratory(settings(), name="lims plan")
    try:
        with laboratory.sessions.begin() as session:
            return most_to_a_pool(session, site_id=laboratory.site_id)
    finally:
        laboratory.engine.dispose()


def _spared(tests: float) -> str:
    return f"{100 * abs(1 - tests):.1f}% {'fewer' if tests <= 1 else 'more'} than one each"


def _sentences(plan: dict[str, Any]) -> str:
    tests = plan["expected_tests_per_person"]
    hours = plan["expected_hours"]
    return "\n".join(
        [
            f"{plan['algorithm']}, {plan['configuration']}",
            f"  tests a person        {tests:.4f}  ({_spared(tests)})",
            f"  finds of positives    {100 * plan['pooling_sensitivity']:.2f}%",
            f"  clears of negatives   {100 * plan['pooling_specificity']:.2f}%",
            f"  positives that are    {100 * plan['pppv']:.2f}%",
            f"  negatives that are    {100 * plan['pnpv']:.3f}%",
            f"  rounds of testing     {plan['stages']}",
            f"  hours from a positive pool to its people's answers  {hours:.2f}",
        ]
    )
