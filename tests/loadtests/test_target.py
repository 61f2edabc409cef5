"""A target that is not this machine is refused unless its owner says so; one that is, is loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from lims.db.engine import session_factory
from lims.db.laboratory import utc_now
from lims.demo.house import SITE, open_house
from lims.demo.ledger import Ledger
from lims.demo.machines import GATEWAY
from lims.work.tokens import Scope, issue_token
from loadtests.day.elsewhere import BadKeys, KeysGiven, NotOurs, refuse_foreign

DAY = (sys.executable, "-m", "lims.cli", "loadtest")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:80"])
def test_this_machine_may_be_loaded(url: str) -> None:
    refuse_foreign(url, None)


@pytest.mark.parametrize("url", ["http://192.0.2.7", "https://203.0.113.9:8443/lims"])
def test_another_machine_may_not_unless_its_very_url_is_owned(url: str) -> None:
    with pytest.raises(NotOurs, match="not this machine"):
        refuse_foreign(url, None)
    with pytest.raises(NotOurs, match="not this machine"):
        refuse_foreign(url, "http://192.0.2.8")
    refuse_foreign(url, url)


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(NotOurs, match="expected http"):
        refuse_foreign("file:///etc/passwd", None)


def test_the_command_refuses_before_it_opens_anything() -> None:
    told = subprocess.run(
        [*DAY, "--target", "http://192.0.2.7"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 2
    assert "--i-own http://192.0.2.7" in told.stderr
    assert "opening" not in told.stderr


def test_a_file_of_keys_that_lacks_something_says_what_it_is_to_hold(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"site": "TT"}), encoding="utf-8")
    with pytest.raises(BadKeys, match="campaign_id, site"):
        KeysGiven.in_file(file)


@pytest.mark.crash
@pytest.mark.timeout(800)
def test_a_running_lims_of_this_machine_is_loaded_and_reckoned_by_its_api(tmp_path: Path) -> None:
    with open_house(seed=3, ledger=Ledger(), home=None, interactive=False) as house:
        house.supervisor.take_down(GATEWAY)  # the day brings its own
        with session_factory(house.engine).begin() as session:
            read = issue_token(
                session,
                site_id=house.site_id,
                name="load day",
                scopes=[Scope.READ],
                by="test",
                now=utc_now(),
            )
        keys, places = house.founded.keys, house.places
        file = tmp_path / "keys.json"
        file.write_text(
            json.dumps(
                {
                    "site": SITE,
                    "campaign_id": str(house.founded.campaigns[0]),
                    "desk": keys.desk,
                    "bench": keys.bench,
                    "gateway": keys.gateway,
                    "watch": keys.watch,
                    "read": read,
                    "password": house.founded.password,
                    "cyclers": ["cycler-1"],
                    "wards": [asdict(ward) for ward in places.wards],
                    "outside": [asdict(ward) for ward in places.outside],
                }
            ),
            encoding="utf-8",
        )
        asked = ["--people", "80", "--compress", "3600", "--prevalence", "0.06", "--seed", "4"]
        told = subprocess.run(
            [*DAY, *asked, "--target", house.url, "--keys", file, "--report", tmp_path, "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert house.supervisor.fault is None
    assert told.stdout, told.stderr
    day = json.loads(told.stdout.splitlines()[-1])["reconciliation"]
    assert day["clean"], (day, told.stderr)
    assert (day["people"], day["lost"], day["doubled"]) == (80, 0, 0)
    assert day["true_positives_found"] > 0
