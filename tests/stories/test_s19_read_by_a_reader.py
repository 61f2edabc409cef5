"""S19, with a reader: a strip that a machine reads is a told case before anybody looks at it.

The reader's own bytes over TCP, the real gateway's process, the LIMS behind real HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from lims.db.laboratory import Laboratory
from lims.work.tokens import Scope
from tests import builders, seen
from tests.api.caller import Caller, Clock
from tests.api.conftest import (  # noqa: F401 - fixtures, which pytest finds by name
    Serving,
    api,
    laboratory,
    serving,
)
from tests.builders_rapid import box, classroom
from tests.instruments.bench_stand import Running, bench_in
from tests.instruments.hl7_messages import block, fline
from tests.instruments.poct1_messages import acknowledged, hello, observed, status
from tests.instruments.test_hl7_intake import called
from tests.instruments.test_poct1_intake import asked
from tests.until import until

NUMBERS = {1: "001307000001", 2: "001307000002", 3: "001307000003"}


@pytest.fixture
def clock() -> Clock:
    """The gateway's process has no other clock than the wall's."""
    return Clock(datetime.now(UTC))


@pytest.fixture
def dropped(laboratory: Laboratory, clock: Clock) -> None:  # noqa: F811 - the fixture
    """A class of three with their numbers; its strips were dropped twenty minutes ago."""
    with laboratory.sessions.begin() as session:
        at = clock.now - timedelta(minutes=20)
        bench = builders.Bench(session, laboratory.site_id, at, "", iter(()))
        for name in ("sofia-1", "fline-1"):
            builders.add_instrument(session, laboratory.site_id, now=at, name=name)
        bench.subscribe(builders.HOME)
        lot = box(bench, expires_on=at.date() + timedelta(days=300))
        room = classroom(bench, len(NUMBERS), lot=lot)
        for position, number in NUMBERS.items():
            room.numbered(position, number)
        room.start()


@contextmanager
def gateway(folder: Path, serving: Serving, api: Caller) -> Iterator[dict[str, int]]:  # noqa: F811 - the fixture
    """Two readers' lines in the real process; the port of each."""
    ports: dict[str, int] = {}
    with bench_in(folder) as bench:
        ports.update({driver: bench.port() for driver in ("sofia2", "fline")})
        bench.file.write_text(_toml(serving.address, ports))
        (folder / "token").write_text(api.tokens[Scope.MEASURE])
        program = "from instruments.gateway import main; main()"
        running: Running = bench._run(["-c", program, "run", str(bench.file)], "gateway")
        until(lambda: len(running.events("link up")) == len(ports), "both lines")
        yield ports


def _toml(lims: str, ports: dict[str, int]) -> str:
    told = [f'name = "desk"\npost = "{lims}/api/v1/messages"\ntoken_file = "token"\nspool = "s"\n']
    for driver, port in ports.items():
        line = {
            "instrument": f"{driver.removesuffix('2')}-1",
            "driver": driver,
            "link": f"listen://127.0.0.1:{port}",
        }
        pairs = [f"{key} = {json.dumps(value)}" for key, value in line.items()]
        told.append("\n".join(["[[line]]", *pairs]))
    return "\n".join(told)


def test_what_two_readers_say_of_three_pupils_is_told_as_if_a_desk_had_read_it(
    tmp_path: Path,
    serving: Serving,  # noqa: F811 - the fixture
    api: Caller,  # noqa: F811 - the fixture
    laboratory: Laboratory,  # noqa: F811 - the fixture
    dropped: None,
) -> None:
    positive = observed(("SARS", "positive"), specimen=NUMBERS[1], control_id="27")
    negative = observed(("SARS", "negative"), specimen=NUMBERS[2], control_id="28")
    with gateway(tmp_path, serving, api) as ports:
        with called(ports["sofia2"]) as sofia:
            assert asked(sofia, hello("START_CONTINUOUS") + status(2), 3)[-1] == "DTV.R01"
            assert asked(sofia, acknowledged("3") + positive, 1) == ["ACK.R01"]
            assert asked(sofia, negative + positive, 2) == ["ACK.R01"] * 2  # its ACK was lost
        with called(ports["fline"]) as reader:
            reader.sendall(
                block(
                    fline(
                        "CWE|94558-4^COVID-19 Ag^LN|1|10828004^Positive^SCT||||||F",
                        specimen=NUMBERS[3],
                    )
                )
            )
            reply = b""
            while not reply.endswith(b"\x1c\r"):
                heard = reader.recv(4096)
                assert heard, "the gateway hung up"
                reply += heard
            assert b"|AA|" in reply
        until(lambda: _messages(laboratory) == 3, "three messages in the LIMS")
    with laboratory.sessions() as session:
        assert sorted(f.outcome for f in seen.findings(session).values()) == [
            "negative",
            "presumptive",
            "presumptive",
        ]
        assert [case.state for case in seen.cases(session)] == ["presumptive"] * 2
        assert len(seen.notices(session, "case.opened")) == 2
        standings = session.execute(text("SELECT standing FROM measurement")).scalars()
        assert list(standings) == ["matched"] * 3


def _messages(laboratory: Laboratory) -> int:  # noqa: F811 - its value
    with laboratory.sessions() as session:
        many: int = session.execute(text("SELECT count(*) FROM raw_message")).scalar_one()
    return many
