"""A mountain of owed notices: how many a second reach a local receiver.

python -m loadtests.handoff.drain --owed 100000 --deliverers 2
"""

import json
from dataclasses import asdict, dataclass

import click

from lims.db.laboratory import utc_now
from loadtests.handoff.seed import notices, subscribed
from loadtests.handoff.stand import stand, until


@dataclass(frozen=True, slots=True)
class Drained:
    """`each_once`: what no lease had to send again."""

    owed: int
    deliverers: int
    seconds: float
    per_s: float
    each_once: bool


def drained(*, owed: int, deliverers: int, patience_s: float = 900.0) -> Drained:
    """From the first notice that arrives to the last."""
    with stand() as place:
        office = place.office("office")
        lab = place.laboratory
        with lab.sessions.begin() as session:
            recipient = subscribed(session, lab.site_id, office.url, utc_now())
            notices(session, lab.site_id, [recipient], utc_now(), cases=owed)
        for _ in range(deliverers):
            place.deliverer()
        came: list[float] = []
        ids: set[str] = set()

        def all_came() -> bool:
            for heard in office.read():
                came.append(heard.at_s)
                ids.add(heard.id)
            return len(ids) >= owed

        until(all_came, "the last notice", patience_s=patience_s)
    seconds = max(came) - min(came)
    return Drained(owed, deliverers, seconds, owed / seconds, len(came) == owed)


@click.command()
@click.option("--owed", default=100_000, show_default=True)
@click.option("--deliverers", default=1, show_default=True)
def main(*, owed: int, deliverers: int) -> None:
    """Drain so many owed notices and print how fast it went as one JSON object."""
    click.echo(json.dumps(asdict(drained(owed=owed, deliverers=deliverers))))


if __name__ == "__main__":
    main()
