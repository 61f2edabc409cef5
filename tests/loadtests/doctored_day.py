"""A small day whose database is doctored before the reckoning: ``python -m …doctored_day``."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 - everything below is to be imported patched
import sys  # noqa: E402 - the same
from functools import partial  # noqa: E402 - the same

from sqlalchemy import text  # noqa: E402 - the same

from lims import log  # noqa: E402 - the same
from loadtests.day.conduct import Asked, Screen, spend_day  # noqa: E402 - the same
from loadtests.day.ground import Ground, OurHouse, our_house  # noqa: E402 - the same

_TELLINGS = "SELECT id FROM notice WHERE kind = 'case.opened'"


def lose_a_notice(ground: Ground) -> None:
    """Whoever was to hear of the first case was never owed it."""
    first = f"{_TELLINGS} AND case_id = (SELECT min(id::text)::uuid FROM f0_case)"
    if not isinstance(ground, OurHouse):
        raise TypeError("expected a house of our own")
    with ground.house.engine.begin() as connection:
        connection.execute(text(f"DELETE FROM delivery WHERE notice_id IN ({first})"))
        if not connection.execute(text(f"DELETE FROM notice WHERE id IN ({first})")).rowcount:
            raise RuntimeError("there was no notice to lose")


def main() -> int:
    log.configure(level="ERROR")
    asked = Asked(
        people=80, hours=10, compress=3600, prevalence=0.08, seed=3, ceiling_s=0, calm=True
    )
    lived = spend_day(
        asked, partial(our_house, people=80, seed=3), Screen(), after_the_day=lose_a_notice
    )
    print(json.dumps(lived.verdict.as_json()))  # noqa: T201 - the test reads it
    return lived.verdict.exit_status


if __name__ == "__main__":
    sys.exit(main())
