"""`lims import` beside a running deliverer, whose worker may have the list first."""

from __future__ import annotations

import threading
from pathlib import Path

from lims.importing.shell import Said, import_list
from tests.builders import Bench
from tests.importing.conftest import Desk
from tests.importing.test_lists import as_csv, people, rows
from tests.until import WITHIN_S


def test_a_list_that_another_worker_has_in_hand_is_waited_for(
    desk: Desk, bench: Bench, tmp_path: Path
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(as_csv(rows(bench, 4)))
    job_id = desk.send(path.read_bytes(), name=path.name)
    said: list[Said] = []

    def take() -> None:
        said.append(
            import_list(desk.lab, path, columns=(), sheet=None, campaign=None, bad_file=None)
        )

    shell = threading.Thread(target=take)
    with desk.worker._alone(job_id) as mine:
        assert mine
        shell.start()
        shell.join(timeout=1.0)
        assert shell.is_alive() and not said, "nothing is taken yet"
    shell.join(timeout=WITHIN_S)
    assert [(one.taken, one.bad) for one in said] == [(4, 0)]
    assert people(bench) == 4
