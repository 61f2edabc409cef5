"""``lims plan simulate``: pools as they might happen, through the code that decides."""

from dataclasses import asdict, replace
from typing import Any

import click

from lims.console import as_json, say
from lims.plan_cli import plan

__all__ = ["plan"]


@plan.command("simulate")
@click.option(
    "--strategy",
    type=click.Choice(["bayesian", "dorfman", "hierarchical", "grid"]),
    default="bayesian",
    show_default=True,
    help="As a campaign names it.",
)
@click.option("--pools", type=click.IntRange(1, 1_000_000), default=5_000, show_default=True)
@click.option("--members", type=click.IntRange(2, 32), default=20, show_default=True)
@click.option("--prevalence", type=float, default=0.01, show_default=True)
@click.option("--master-se", type=float, default=0.98, show_default=True, help="Of the pool.")
@click.option("--se", type=float, default=0.998, show_default=True, help="Of what resolves it.")
@click.option("--sp", type=float, default=0.995, show_default=True)
@click.option("--wells", type=click.IntRange(1), default=94, show_default=True, help="Of a run.")
@click.option("--run-hours", type=float, default=2.0, show_default=True)
@click.option("--setup-hours", type=float, default=0.75, show_default=True)
@click.option("--wait-hours", type=float, default=0.3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@as_json
def plan_simulate(*, as_json: bool, **options: Any) -> None:
    """Resolve many simulated pools, and say what it took.

    The decisions are those of the laboratory's own code, from the choice of the strategy to the
    last word on everybody; only the people and what their tubes show are made up. Tubes err
    independently, attempts at one tube together. The same people come to every strategy.
    """
    from rich.progress import Progress

    from lims.domain.pooling.bayes.error_model import ErrorModel
    from lims.domain.pooling.choice import StrategyName
    from lims.domain.pooling.designs.asked import asked_clock, asked_probability
    from lims.domain.pooling.outlook import outlook
    from lims.domain.pooling.simulated import USUAL_BENCH, simulated
    from lims.domain.refusals import Refusal

    members, pools = options["members"], options["pools"]
    try:
        clock = asked_clock(options["run_hours"], options["setup_hours"], options["wait_hours"])
        model = ErrorModel(options["master_se"], options["se"], options["sp"])
        told = simulated(
            members,
            asked_probability(options["prevalence"], where="prevalence"),
            pools,
            strategy=StrategyName(options["strategy"]),
            bench=replace(USUAL_BENCH, wells=options["wells"]),
            model=model,
            seed=options["seed"],
        )
        with Progress(transient=True, disable=as_json) as progress:
            found = outlook(progress.track(told, total=pools, description="pools"), members, clock)
    except (Refusal, ValueError) as refused:
        raise click.UsageError(str(refused)) from refused
    say(asdict(found), as_json=as_json, human=_sentences)


def _sentences(told: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{told['pools']:,} pools of {told['members']}",
            f"  tests a person             {_number(told['expected_tests_per_person'], 4)}",
            f"  tests of a positive pool   {_number(told['tests_per_detected_pool'], 2)}",
            f"    more than one each       {_percent(told['more_than_alone'])} of the positive"
            f" pools; the most was {told['most_tests']}",
            f"  finds of the infected      {_percent(told['pooling_sensitivity'])}",
            f"  clears of the others       {_percent(told['pooling_specificity'])}",
            f"  named after one run        {_percent(told['named_after_one_run'])} of the infected",
            f"  pools with all of them     {_percent(told['pools_named'])}",
            f"  pools with a fourth stage  {_percent(told['fourth_stage'])}",
            f"  left to a reviewer         {_percent(told['discordant'])} of the positive pools",
            f"  hours to name              {_number(told['hours_to_name'], 2)} (median)",
            f"    nine of ten within       {_number(told['hours_to_name_p90'], 2)}",
            f"  hours to confirm           {_number(told['hours_to_confirm'], 2)} (median)",
            f"    nine of ten within       {_number(told['hours_to_confirm_p90'], 2)}",
        ]
    )


def _number(figure: dict[str, float], digits: int) -> str:
    return "{value:.{d}f}  ({low:.{d}f}-{high:.{d}f})".format(**figure, d=digits)


def _percent(figure: dict[str, float]) -> str:
    return f"{100 * figure['value']:.2f} %  ({100 * figure['low']:.2f}-{100 * figure['high']:.2f})"
