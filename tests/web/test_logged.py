"""What breaks is logged, and the log never says whom it broke on."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from flask import Flask
from sqlalchemy import text

from lims import log
from lims.api import bench
from lims.db.laboratory import Laboratory
from lims.web.access import public
from lims.work.tokens import Scope, issue_token

NAME = "Nguyễn Thị Ẩn Danh"
PHONE = "+84912345678"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[io.StringIO, Terminal], ids=["machine", "terminal"])
def out(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream: io.StringIO = request.param()
    log.configure(stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def refuse_a_row(laboratory: Laboratory) -> str:
    """PostgreSQL says: DETAIL: Failing row contains (…, the name, …)."""
    with laboratory.sessions.begin() as session:
        session.execute(
            text("INSERT INTO team (name, phone) VALUES (:name, :phone)"),
            {"name": NAME, "phone": PHONE},
        )
    return "no row was refused"


def told(out: io.StringIO) -> str:
    said = out.getvalue()
    assert NAME not in said and PHONE not in said and json.dumps(NAME)[1:-1] not in said
    assert "sqlstate=23502" in said and "table=team" in said
    assert "refuse_a_row" in said, "the frames are what is left to find the fault by"
    return said


def test_a_page_that_breaks_on_a_row_logs_no_name_of_it(
    app: Flask, laboratory: Laboratory, out: io.StringIO
) -> None:
    app.add_url_rule("/breaks", "breaks", public(lambda: refuse_a_row(laboratory)))
    assert app.test_client().get("/breaks").status_code == 500
    assert "NotNullViolation" in told(out)


def test_an_endpoint_that_breaks_on_a_row_logs_no_name_of_it(
    app: Flask, laboratory: Laboratory, out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    with laboratory.sessions.begin() as session:
        plain = issue_token(
            session,
            site_id=laboratory.site_id,
            name="desk",
            scopes=[Scope.REGISTER],
            by="test",
            now=laboratory.clock(),
        )

    def breaks(*_: object, **__: object) -> None:
        try:
            refuse_a_row(laboratory)
        except Exception as error:
            raise RuntimeError(str(error)) from error

    monkeypatch.setattr(bench, "open_recollections", breaks)
    headers = {"Authorization": f"Bearer {plain}"}
    assert app.test_client().get("/api/v1/recollections", headers=headers).status_code == 500
    assert "RuntimeError" in told(out)


def test_a_library_that_logs_the_error_itself_tells_no_more(
    laboratory: Laboratory, out: io.StringIO
) -> None:
    try:
        refuse_a_row(laboratory)
    except Exception:
        logging.getLogger("gunicorn.error").exception("Error handling request")
    told(out)


def test_an_error_of_ours_keeps_its_words(out: io.StringIO) -> None:
    try:
        raise ValueError("the tray has 97 wells")
    except ValueError:
        structlog.get_logger().exception("run.refused")
    assert "the tray has 97 wells" in out.getvalue()
