"""A line's folder: whose it is, which version wrote it, what is said when it is unusable."""

import errno
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from instruments import troubles
from instruments.gateway import main
from instruments.journal import in_use
from instruments.outbox import Outbox, Refused
from instruments.spool import VERSION, Spool, SpoolRefused
from instruments.troubles import QUARANTINE_TODO, TODO, Trouble
from tests.instruments.test_outbox import WHY, capture

NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)


def invoked(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def started(spool: Path) -> Result:
    """A gateway of one line that cannot begin."""
    token = spool.parent / "token"
    token.write_text("today")
    options = ["--link", "/dev/null/none", "--driver", "genexpert", "--spool", spool]
    return invoked(*options, "--post", "http://127.0.0.1:9/messages", "--token-file", token)


def test_a_folder_is_marked_with_its_version_and_kept_from_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    journal, _outbox = spool.opened(NOW)
    assert spool.version.read_text() == f"{VERSION}\n"
    assert in_use(spool.journal)
    with pytest.raises(SpoolRefused, match="another gateway") as told:
        spool.opened(NOW)
    assert told.value.trouble is Trouble.SPOOL_IN_USE
    refused = started(spool.root)
    assert refused.exit_code == 3
    assert "stop it, or give this line another spool" in refused.stderr
    journal.close()
    assert not in_use(spool.journal)


def test_a_folder_that_a_newer_version_wrote_is_left_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.opened(NOW)[0].close()
    spool.version.write_text(f"{VERSION + 1}\n")
    before = sorted(path.stat().st_mtime_ns for path in spool.root.rglob("*"))
    for told in (started(spool.root), invoked("status", "--spool", spool.root)):
        assert told.exit_code == 4
        assert "install that version or a newer one" in told.stderr
    assert sorted(path.stat().st_mtime_ns for path in spool.root.rglob("*")) == before


def test_a_folder_without_a_mark_is_of_the_first_version(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.opened(NOW)[0].close()
    spool.version.unlink()
    spool.opened(NOW)[0].close()


@pytest.mark.parametrize("mark", ["", "two", "\xff"])
def test_a_mark_that_is_none_is_not_guessed_at(tmp_path: Path, mark: str) -> None:
    spool = Spool(tmp_path / "spool")
    spool.root.mkdir()
    spool.version.write_text(mark, "latin-1")
    assert started(spool.root).exit_code == 5


def test_room_to_say_how_the_line_stands_is_there_before_the_first_byte(tmp_path: Path) -> None:
    """A disk that fills up before the first word has none later, and nobody would hear of it."""
    spool = Spool(tmp_path / "spool")
    spool.opened(NOW)[0].close()
    room = spool.health.stat().st_size
    assert spool.last_health() == {}
    spool.keep_health(b'{"trouble": "disk-full"}')
    assert spool.health.stat().st_size == room
    spool.opened(NOW)[0].close()
    assert spool.last_health() == {"trouble": "disk-full"}


def test_a_folder_that_is_a_file_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("")
    told = started(tmp_path / "spool")
    assert told.exit_code == 5
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    ("number", "trouble"),
    [
        ("EACCES", Trouble.NO_PERMISSION),
        ("ENOENT", Trouble.NO_DEVICE),
        ("EBUSY", Trouble.PORT_BUSY),
        ("EADDRINUSE", Trouble.PORT_BUSY),
        ("ECONNREFUSED", Trouble.LINK_BROKEN),
    ],
)
def test_a_line_that_cannot_be_opened_is_told_apart(number: str, trouble: Trouble) -> None:
    assert troubles.of_link(OSError(getattr(errno, number), "x")) is trouble


def test_every_trouble_says_what_to_do() -> None:
    assert set(TODO) == set(Trouble)


def test_what_to_do_can_be_done_as_it_is_written(tmp_path: Path) -> None:
    """`lims-gateway retry` alone is used wrongly, and `quarantine` takes a file before a digest."""
    told = [*TODO.values(), *map(troubles.quarantine_todo, (*QUARANTINE_TODO, "another"))]
    commands = {found for todo in told for found in re.findall(r"`lims-gateway ([^`]+)`", todo)}
    assert {command.split()[0] for command in commands} == {"retry", "replay", "quarantine"}
    (tmp_path / "spool").mkdir()
    for command in commands:
        given = [*command.split(), "2021-07-13"] if command.endswith("--since") else command.split()
        done = invoked(*given, "--spool", tmp_path / "spool", *_DRIVER_OF.get(given[0], ()))
        assert "Usage:" not in done.output, done.output


@pytest.mark.parametrize(
    ("reason", "first"),
    [
        ("two-plates", "it contradicts itself: send it again"),
        ("no-terminator", "it is not whole: send it again"),
        ("run-not-finished", "wait until the run has ended"),
        ("check-character", "send it again"),
        ("unknown-task", "nothing is lost"),
    ],
)
def test_a_message_set_aside_says_what_helps_it_first(reason: str, first: str) -> None:
    assert troubles.quarantine_todo(reason).startswith(first)


_DRIVER_OF = {"replay": ("--driver", "genexpert")}


@pytest.mark.parametrize(
    ("status", "problem", "trouble"),
    [
        (404, '{"type": "/problems/unknown-instrument"}', Trouble.INSTRUMENT_UNKNOWN),
        (404, "<html>", Trouble.NOT_THE_LIMS),
        (404, '{"type": "/problems/unknown-barcode"}', Trouble.TUBE_UNKNOWN),
        (302, "", Trouble.NOT_THE_LIMS),
        (200, "<html>", Trouble.NOT_THE_LIMS),
        (401, "{}", Trouble.TOKEN_REFUSED),
        (403, '{"type": "/problems/wrong-scope"}', Trouble.SCOPE_MISSING),
        (409, "{}", Trouble.CONTENT_CONFLICT),
        (413, "{}", Trouble.TOO_LARGE),
        (422, "[]", Trouble.MALFORMED),
        (418, "", Trouble.REFUSED),
        (500, "", Trouble.LIMS_FAULT),
        (502, "", Trouble.LIMS_AWAY),
        (503, "", Trouble.LIMS_BUSY),
    ],
)
def test_a_refusal_has_its_reason(status: int, problem: str, trouble: Trouble) -> None:
    assert troubles.of_answer(status, problem) is trouble


def test_dead_letters_are_put_back_one_or_all(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    journal, outbox = spool.opened(NOW)
    journal.close()
    names = []
    for raw in (b"one", b"two", b"three"):
        outbox.put(capture(raw))
    while letter := outbox.first(0):
        outbox.bury(letter, WHY)
        names.append(letter.path.stem)
    (line,) = json.loads(invoked("status", "--spool", spool.root, "--json").stdout)["lines"]
    assert [letter["letter"] for letter in line["dead"]] == names
    assert {letter["reason"] for letter in line["dead"]} == {"content-conflict"}

    assert invoked("retry", "--spool", spool.root).exit_code == 2
    one = invoked("retry", "--spool", spool.root, "--letter", names[1], "--json")
    assert json.loads(one.stdout) == {"put_back": [names[1]], "not_found": []}
    none = invoked("retry", "--spool", spool.root, "--letter", names[1])
    assert none.exit_code == 1
    assert invoked("retry", "--spool", spool.root, "--all").stdout == "2 put back\n"
    again = Outbox(spool.outbox)
    assert [letter.path.stem for letter in again.oldest(9)] == names, "in their old places"


def test_a_dead_letter_of_an_older_gateway_is_still_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    journal, outbox = spool.opened(NOW)
    journal.close()
    outbox.put(capture(b"one"))
    letter = outbox.first(0)
    assert letter
    outbox.bury(letter, Refused(Trouble.TOO_LARGE, 413, "", "2021-07-13T09:00:00+00:00"))
    old = {"status": 413, "problem": "too large", "at": "2021-07-13T09:00:00+00:00"}
    (spool.outbox / "dead" / f"{letter.path.stem}.problem").write_text(json.dumps(old))
    told = invoked("status", "--spool", spool.root).stdout
    assert "413" in told
    assert "too large" in told


def test_installed_alone_it_needs_neither_the_web_nor_a_database() -> None:
    blocked = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"flask", "sqlalchemy", "lims", "reports", "pydantic",
                                      "psycopg", "alembic", "polars", "gevent", "jinja2"}:
            raise ImportError(name)
sys.meta_path.insert(0, Blocked())
import instruments.gateway
instruments.gateway.main(["run", "--help"])
"""
    root = Path(__file__).parent.parent.parent
    told = subprocess.run(
        [sys.executable, "-c", blocked],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "gateway.toml" in told.stdout
