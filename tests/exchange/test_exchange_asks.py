"""`lims exchange` as it is started: the command asks registers, and ends when its input closes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.exchange.people_asked import AskingLab
from tests.exchange.registers import registers
from tests.until import WITHIN_S, until


@pytest.mark.crash
def test_the_command_asks_by_itself(asking: AskingLab, database_url: str, tmp_path: Path) -> None:
    asking.lab.bench.now = datetime.now(UTC)
    with registers() as there:
        asking.population(there)
        asking.people(3, there)
        asking.lab.bench.session.commit()
        command = [sys.executable, "-m", "lims.cli", "exchange", "--attached"]
        own = {"LIMS_DATABASE_URL": database_url, "LIMS_HOME": str(tmp_path), "LIMS_SITE": "TT"}
        with subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, **own}) as at_work:
            try:
                until(lambda: asking.rows() == [("answered", "verified")] * 3, "all are answered")
            finally:
                at_work.communicate(timeout=WITHIN_S)
    assert at_work.returncode == 0
