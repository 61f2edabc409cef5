"""A user of the day who has no work of their own is refused at once, not on the day."""

from __future__ import annotations

import subprocess
import sys

import pytest

# In a process of its own: importing locust patches the sockets of the one that does.
IDLE = """
from loadtests.day.desks import FieldTeam
from loadtests.day.person import Person

class Idle({base}):
    pass

try:
    Idle(None)
except TypeError as fault:
    print(fault)
"""


@pytest.mark.parametrize(("base", "missing"), [("Person", "work"), ("FieldTeam", "attend")])
def test_a_user_without_work_cannot_be_made(base: str, missing: str) -> None:
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IDLE.format(base=base)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "abstract" in told.stdout and missing in told.stdout
