from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from lims import log


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_machine_reads_one_json_object_a_line() -> None:
    out = io.StringIO()
    log.configure(stream=out)
    structlog.get_logger("lims.work").info("tube.received", barcode="TT7K40FQ9X")
    logging.getLogger("alembic").warning("upgrade %s", "0001")
    ours, theirs = (json.loads(line) for line in out.getvalue().splitlines())
    assert (ours["event"], ours["barcode"], ours["level"]) == (
        "tube.received",
        "TT7K40FQ9X",
        "info",
    )
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["logger"]) == ("upgrade 0001", "alembic")


def test_a_person_at_a_terminal_reads_words() -> None:
    out = Terminal()
    log.configure(stream=out)
    structlog.get_logger("lims.work").info("tube.received")
    assert "tube.received" in out.getvalue()
    assert not out.getvalue().startswith("{")


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_traceback_does_not_tell_what_variables_held(stream: type[io.StringIO]) -> None:
    out = stream()
    log.configure(stream=out)
    full_name = "Nguyễn Thị Ẩn Danh"
    try:
        int(full_name[:0])
    except ValueError:
        structlog.get_logger("lims.work").exception("registration.failed")
    assert "ValueError" in out.getvalue()
    assert full_name not in out.getvalue()
