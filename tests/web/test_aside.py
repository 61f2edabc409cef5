"""Long computing leaves a web node's greenlets their thread."""

from __future__ import annotations

import threading

import pytest
from gevent import monkey

from lims.work.aside import aside


def refuse() -> None:
    raise ValueError("97 wells")


def test_under_gevent_the_work_is_done_in_a_thread_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(monkey, "is_module_patched", lambda _name: True)
    assert aside(threading.get_ident) != threading.get_ident()
    with pytest.raises(ValueError, match="97 wells"):
        aside(refuse)


def test_without_gevent_the_work_is_done_at_once() -> None:
    assert aside(threading.get_ident) == threading.get_ident()
