"""``lims plan simulate``: pools as they might happen, through the code that decides."""

from dataclasses import asdict
from typing import Any

import click

from lims.console import as_json, say
from lims.plan_cli import plan

__all__ = ["plan"]


@plan.command("simulate")
@click.option("--strategy", type=click.Choice(["bayesian", "dorfman"]), default="bayesian")
@click.option("--pools", type=click.IntRange(1, 1_000_000), default=5_000, show_default=True)
@click.option("--members", type=click.IntRange(2, 32), default=20, show_default=True)
@click.option("--prevalence", type=float, default=0.01, show_default=True)
@click.option("--master-se", type=float, default=0.98, show_default=True, help="Of the pool.")
@click.option("--se", type=float, default=0.998, show_default=True, help="Of what resolves it.")
@click.option("--sp", type=float, default=0.995, show_default=True)
@click.option("--wells", type=click.IntRange(1), default=94, show_default=True, help="A batch.")
@click.option("--run-hours", type=float, default=2.0, show_default=True)
@click.option("--setup-hours", type=float, default=0.75, show_default=True)
@click.option("--wait-hours", type=float, default=0.3, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@as_json
def plan_simulate(*, as_json: bool, **options: Any) -> None:
    """Resolve many simulated pools, and say what it took.

    The decisions are those of the laboratory's own code; only the people are made up. Tests err
    independently. A dorfman pool is opened whole.
    """
    from rich.progress import Progress

    from lims.domain.pooling.bayes.error_model import ErrorModel
    from lims.domain.pooling.bayes.next_tests import Limits
    from lims.domain.pooling.bayes.outlook import outlook, simulated
    from lims.domain.pooling.designs.hours import Clock
    from lims.domain.refusals import Refusal

    members, pools = options["members"], options["pools"]
    try:
        model = ErrorModel(options["master_se"], options["se"], options["sp"])
        told = simulated(
            members,
            options["prevalence"],
            pools,
            limits=Limits(
                empty_wells=members if options["strategy"] == "dorfman" else 0,
                wells=options["wells"],
            ),
            model=model,
            seed=options["seed"],
        )
        with Progress(transient=True, disable=as_json) as progress:
            found = outlook(progress.track(told, total=pools, description="pools"), members)
    except (Refusal, ValueError) as refused:
        raise click.UsageError(str(refused)) from refused
    clock = Clock(options["run_hours"], options["setup_hours"], options["wait_hours"])
    hours = {
        "hours_to_name": found.runs_to_name * clock.expected_hours(2),
        "hours_to_confirm": found.runs_to_confirm * clock.expected_hours(2),
    }
    say({**asdict(found), **hours}, as_json=as_json, human=_sentences)


def _sentences(told: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"{told['pools']:,} pools of {told['members']}",
            f"  tests a person             {_number(told['expected_tests_per_person'], 4)}",
            f"  tests of a positive pool   {_number(told['tests_per_detected_pool'], 2)}",
            f"  finds of the infected      {_percent(told['pooling_sensitivity'])}",
            f"  clears of the others       {_percent(told['pooling_specificity'])}",
            f"  named after one run        {_percent(told['named_after_one_run'])} of the infected",
            f"  pools with all of them     {_percent(told['pools_named'])}",
            f"  pools with a fourth stage  {_percent(told['fourth_stage'])}",
            f"  left to a reviewer         {_percent(told['discordant'])} of the positive pools",
            f"  hours to name, to confirm  {told['hours_to_name']:.2f}, "
            f"{told['hours_to_confirm']:.2f} (median)",
        ]
    )


def _number(figure: dict[str, float], digits: int) -> str:
    return "{value:.{d}f}  ({low:.{d}f}-{high:.{d}f})".format(**figure, d=digits)


def _percent(figure: dict[str, float]) -> str:
    return f"{100 * figure['value']:.2f} %  ({100 * figure['low']:.2f}-{100 * figure['high']:.2f})"
