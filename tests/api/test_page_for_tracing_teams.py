"""The receiver of docs/for-tracing-teams.md, run as it stands there, against the real programs."""

from __future__ import annotations

import ast
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text

from lims.db.laboratory import Laboratory
from lims.domain.telling import Channel
from lims.tables import Subscription
from lims.work.subscribe import subscribe
from lims.work.tokens import Scope, issue_token
from lims.work.told import Told
from tests.api import bodies
from tests.api.caller import Caller, Clock
from tests.api.served import serving
from tests.ports import held_ports
from tests.until import WITHIN_S, until

DOCS = Path(__file__).parents[2] / "docs"

pytestmark = pytest.mark.crash


@contextmanager
def _program(*arguments: str, environ: Mapping[str, str]) -> Iterator[None]:
    running = subprocess.Popen(
        [sys.executable, *arguments], env=os.environ | environ, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        running.kill()
        running.wait(WITHIN_S)


def _of_the_desk(laboratory: Laboratory, clock: Clock, url: str) -> dict[str, str]:
    """What an administrator hands to the developer: a token and the webhook's secret."""
    with laboratory.sessions.begin() as session:
        team = session.scalars(select(Subscription.team_id)).one()
        made = subscribe(
            session,
            team_id=team,
            area=None,
            channel=Channel.WEBHOOK,
            url=url,
            private=True,
            site_id=laboratory.site_id,
            by="test",
            now=clock.now,
        )
        token = issue_token(
            session,
            name="desk",
            scopes=[Scope.CASES],
            team_id=team,
            site_id=laboratory.site_id,
            by="test",
            now=clock.now,
        )
    return {"LIMS_TOKEN": token, "LIMS_SECRET": str(made.secret)}


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=WITHIN_S).status_code == 501  # it knows POST alone
    except httpx.TransportError:
        return False


def _kept(book: Path) -> list[dict[str, object]]:
    with closing(sqlite3.connect(book)) as opened:
        return [json.loads(card) for (card,) in opened.execute("SELECT card FROM f0")]


def test_a_case_is_received_verified_fetched_and_claimed(
    api: Caller, laboratory: Laboratory, clock: Clock, database_url: str, tmp_path: Path
) -> None:
    book, lims = tmp_path / "told.db", tmp_path / "lims"
    lims.mkdir()
    with held_ports(2) as (port, door), serving(database_url, lims, door) as served:
        url = f"http://127.0.0.1:{port}/"
        given = _of_the_desk(laboratory, clock, url) | {"LIMS_URL": str(served.base_url)}
        deliverer = {
            "LIMS_HOME": str(lims),
            "LIMS_DATABASE_URL": database_url,
            "LIMS_WEBHOOK_PRIVATE": "allow",
        }
        deliver = ("-m", "lims.cli", "deliver", "--no-imports", "--no-exchange")
        with (
            _program(str(DOCS / "receiver.py"), str(port), str(book), environ=given),
            _program(*deliver, environ=deliverer),
        ):
            until(lambda: _answers(url), "the receiver")
            Caller(served, api.document, api.tokens, api.clock).done(
                "/rapid-tests", bodies.rapid_test("positive", pcr_barcode=bodies.label())
            )
            until(lambda: _kept(book), "the case at the office")
            (card,) = _kept(book)
            assert (card["state"], card["name"]) == ("presumptive", "Nguyễn Thị Mai")
            until(lambda: _claimed(laboratory) == ["National desk"], "the claim")

            forged = {
                "webhook-id": "msg_1",
                "webhook-timestamp": str(int(datetime.now(UTC).timestamp())),
                "webhook-signature": "v1,bm90IHNpZ25lZA==",
            }
            told = {"type": "case.opened", "data": {"case_id": "forged", "sequence": 1}}
            assert httpx.post(url, json=told, headers=forged).status_code == 401
    with closing(sqlite3.connect(book)) as opened:
        assert opened.execute("SELECT case_id, sequence, followed FROM told").fetchall() == [
            (card["case_id"], 1, 1)
        ]


def _claimed(laboratory: Laboratory) -> list[str]:
    with laboratory.sessions() as session:
        who = text("SELECT team.name FROM claim JOIN team ON team.id = team_id")
        return list(session.execute(who).scalars())


def test_the_page_says_what_to_install_for_the_receiver() -> None:
    tree = ast.parse((DOCS / "receiver.py").read_text(encoding="utf-8"))
    named = [n.names[0].name for n in ast.walk(tree) if isinstance(n, ast.Import)]
    named += [str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    wanted = {name.partition(".")[0] for name in named} - sys.stdlib_module_names
    page = (DOCS / "for-tracing-teams.md").read_text(encoding="utf-8")
    installed = re.search(r"pip install (.+)", page)
    assert installed is not None
    assert set(installed[1].split()) == wanted


def test_the_page_names_every_field_of_a_notice_that_is_pulled() -> None:
    page = (DOCS / "for-tracing-teams.md").read_text(encoding="utf-8")
    sample = page[page.index('{"notice_id"') : page.index("## 8.")]
    assert {one.name for one in fields(Told)} - {"pool_id"} == set(re.findall(r'"(\w+)": ', sample))
