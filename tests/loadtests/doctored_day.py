"""A small day whose database is doctored before the reckoning: ``python -m …doctored_day HOW``."""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402 - everything below is to be imported patched
import sys  # noqa: E402 - the same

from sqlalchemy import text  # noqa: E402 - the same

from lims import log  # noqa: E402 - the same
from lims.demo.house import House  # noqa: E402 - the same
from loadtests.day.conduct import Asked, Screen, spend_day  # noqa: E402 - the same

HOWS = {
    "notice": "DELETE FROM notice n USING f0_case c WHERE n.case_id = c.id"
    " AND n.kind = 'case.opened' AND c.id = (SELECT min(id::text)::uuid FROM f0_case)",
    "finding": "DELETE FROM finding WHERE id = (SELECT id FROM finding f WHERE current"
    " AND outcome = 'negative' AND supersedes_id IS NULL AND NOT EXISTS (SELECT FROM f0_case c"
    " WHERE c.finding_id = f.id) AND NOT EXISTS (SELECT FROM finding g"
    " WHERE g.specimen_id = f.specimen_id AND g.id <> f.id) ORDER BY id LIMIT 1)",
}


def main(how: str) -> int:
    def doctor(house: House) -> None:
        with house.engine.begin() as connection:
            if how == "notice":
                connection.execute(
                    text(
                        "DELETE FROM delivery WHERE notice_id IN"
                        " (SELECT id FROM notice WHERE kind = 'case.opened')"
                    )
                )
            if not connection.execute(text(HOWS[how])).rowcount:
                raise RuntimeError(f"there was no {how} to lose")

    log.configure(level="ERROR")
    asked = Asked(people=80, hours=10, compress=3600, prevalence=0.08, seed=3, ceiling_s=0)
    lived = spend_day(asked, Screen(), after_the_day=doctor)
    print(json.dumps(lived.verdict.as_json()))  # noqa: T201 - the test reads it
    return lived.verdict.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
