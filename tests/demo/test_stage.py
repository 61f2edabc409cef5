"""The demonstration for somebody watching: an address, a login for each role, an F0, the end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.crash.running_demo import alive
from tests.until import WITHIN_S, until

pytestmark = pytest.mark.crash

ROLES = ("technician", "reviewer", "tracer", "operator", "admin")


def test_a_watcher_gets_in_with_each_role_sees_an_f0_and_ends_it_with_ctrl_c(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    story = ["--people", "40", "--prevalence", "0.15", "--seed", "184"]
    demo = subprocess.Popen(
        [sys.executable, "-m", "lims.cli", "demo", *story, "--home", str(home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert demo.stdout is not None
        said = ""
        while "LIMS_HOME=" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        url, password = _after(said, "pages"), _after(said, "password")

        for role in ROLES:
            assert role in said
            with closing(_signed_in(url, role, password)) as browser:
                assert browser.get("/").status_code == 200
        with closing(_signed_in(url, "operator", password)) as browser:
            until(lambda: "/cases/" in browser.get("/handoff").text, "the first F0 on the board")

        paper = tmp_path / "reswab.pdf"
        beside = os.environ | {"LIMS_HOME": _after(said, "LIMS_HOME=")}
        report = [sys.executable, "-m", "lims.cli", "report", "reswab", "--out", str(paper)]
        subprocess.run(report, env=beside, check=True, timeout=WITHIN_S)
        assert paper.read_bytes().startswith(b"%PDF")

        pids = json.loads((home / "processes.json").read_text("utf-8"))
        demo.send_signal(signal.SIGINT)
        assert demo.wait(WITHIN_S) == 0
        assert not home.exists()
        assert not any(map(alive, pids.values()))
    finally:
        demo.kill()
        demo.wait()
        if demo.stdout is not None:
            demo.stdout.close()


def _after(said: str, label: str) -> str:
    found = re.search(rf"{label}\s*(\S+)", said)
    assert found, said
    return found[1]


def _signed_in(url: str, login: str, password: str) -> httpx.Client:
    browser = httpx.Client(base_url=url, follow_redirects=True, trust_env=False, timeout=WITHIN_S)
    form = browser.get("/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token, form
    fields = {"csrf_token": token[1], "login": login, "password": password}
    answer = browser.post("/login", data=fields)
    assert answer.status_code == 200, answer.text
    assert "/login" not in str(answer.url)
    return browser
