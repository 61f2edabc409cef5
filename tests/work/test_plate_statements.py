"""A plate costs as many statements as it has kinds of news, however much there is of each."""

from datetime import datetime

from sqlalchemy import event
from sqlalchemy.orm import Session

from lims.work.case_definitions import definitions_of
from tests.builders import Bench, open_bench


def test_ten_positive_pools_and_their_people_cost_the_statements_of_one(
    session: Session, now: datetime
) -> None:
    bench = open_bench(session, now)
    definitions_of(session, site_id=bench.site_id)  # once a transaction, not once a plate
    one, ten = _two_rounds(bench, pools=1), _two_rounds(bench, pools=10)
    assert ten == one
    assert 0 not in one


def _two_rounds(bench: Bench, *, pools: int) -> tuple[int, int]:
    """Positive pools of three, then all of their members positive: the statements of each plate."""
    members = [bench.swabs(3) for _ in range(pools)]
    barcodes = [bench.lab_pool(swabs) for swabs in members]
    named = [swab.barcode for swabs in members for swab in swabs]
    return _statements(bench, barcodes), _statements(bench, named)


def _statements(bench: Bench, positives: list[str]) -> int:
    executed: list[bool] = []

    def one_more(*said: object) -> None:
        executed.append(bool(said[-1]))

    connection = bench.session.connection()
    event.listen(connection, "before_cursor_execute", one_more)
    bench.run(dict.fromkeys(positives, 27.0))
    event.remove(connection, "before_cursor_execute", one_more)
    bench.session.flush()
    assert not any(executed), "executemany waits for the server once a row"
    return len(executed)
