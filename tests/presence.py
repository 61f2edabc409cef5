"""What a test says when the machine lacks something it needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skips, except where everything must run (LIMS_TESTS_MUST_RUN=1): there it fails."""
    if os.environ.get("LIMS_TESTS_MUST_RUN") == "1":
        pytest.fail(f"must run here, but {reason}")
    pytest.skip(reason)
