"""`gateway.toml`: everything wrong with it is said at once, before anything is opened."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from instruments.gateway import main
from instruments.lines_file import LinesRefused, read_lines

TOP = 'post = "https://lims.example/api/v1/messages"\ntoken_file = "token"\nspool = "spools"\n'
LINE = '[[line]]\ninstrument = "GX-1"\ndriver = "genexpert"\nlink = "/dev/ttyUSB0"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.toml"
    path.write_text(text, "utf-8")
    return path


def refused(folder: Path, text: str) -> str:
    with pytest.raises(LinesRefused) as told:
        read_lines(written(folder, text))
    return str(told.value)


def test_lines_are_read_with_folders_beside_the_file(tmp_path: Path) -> None:
    other = LINE.replace("GX-1", "Máy 2/A").replace("ttyUSB0", "ttyUSB1") + "baud = 115200\n"
    settings = read_lines(written(tmp_path, TOP + LINE + other))
    first, second = settings.lines
    assert settings.token_file == tmp_path / "token"
    assert (first.baud, first.spool) == (9600, tmp_path / "spools" / "GX-1")
    assert (second.baud, second.instrument) == (115200, "Máy 2/A")
    assert second.spool.parent == tmp_path / "spools", "a name never leaves the folder"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TOP, "at least one [[line]]"),
        (TOP + LINE + "bauds = 9600\n", "line 1: bauds: unknown"),
        ("speed = 1\n" + TOP + LINE, "speed: unknown"),
        (TOP + LINE.replace("genexpert", "abacus"), "driver: expected one of alinity-m"),
        (TOP + LINE.replace("/dev/ttyUSB0", "carrier-pigeon://x"), "link: "),
        (TOP + LINE.replace("/dev/ttyUSB0", "ttyUSB0"), "link: expected a device"),
        (TOP + LINE.replace("/dev/ttyUSB0", "socket://analyser"), "socket://host:port"),
        (TOP + LINE.replace("/dev/ttyUSB0", "rfc2217://server"), "rfc2217://host:port"),
        (TOP + LINE.replace("/dev/ttyUSB0", "listen://:0x"), "link: "),
        (TOP + LINE + "baud = 9601\n", "9601 is no speed"),
        (TOP + LINE + "idle_timeout_s = 0\n", "a number above zero, came 0"),
        (TOP + LINE + "idle_timeout_s = true\n", "a number above zero, came True"),
        (TOP + LINE + LINE.replace("USB0", "USB1"), "2 lines with one instrument: GX-1"),
        (TOP + LINE + LINE.replace("GX-1", "GX-2"), "2 lines with one link: /dev/ttyUSB0"),
        (
            TOP + LINE + 'spool = "spools/GX-2"\n' + LINE.replace("GX-1", "GX-2"),
            "2 lines with one spool: ",
        ),
        (TOP.replace("https", "ftp") + LINE, "post: expected http:// or https://"),
        (TOP.replace("lims.example", "lims:port") + LINE, "post: Invalid port"),
        (TOP.replace("lims.example", "lims:99999") + LINE, "post: expected a port"),
        (TOP.replace("lims.example", "") + LINE, "post: expected http:// or https:// and a host"),
        (TOP.replace('spool = "spools"\n', "") + LINE, "spool: expected here or"),
        (TOP.replace('token_file = "token"\n', "") + LINE, "token_file: missing"),
        (TOP + "[[line]]\n", "instrument: missing"),
        (TOP + "line = 3\n", "at least one [[line]]"),
        ("post = ", "no TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_all_faults_are_said_at_once_and_end_with_two(tmp_path: Path) -> None:
    text = TOP + LINE.replace("genexpert", "abacus") + "baud = 1\nbauds = 2\n"
    told = CliRunner().invoke(main, ["run", str(written(tmp_path, text))])
    assert told.exit_code == 2
    for said in ("driver: expected", "1 is no speed", "bauds: unknown"):
        assert said in told.stderr
    assert not (tmp_path / "spools").exists()


def test_lines_with_one_name_are_told_beside_their_other_faults(tmp_path: Path) -> None:
    broken = LINE.replace("genexpert", "abacus")
    told = refused(tmp_path, TOP + broken + broken.replace("USB0", "USB1") + "baud = 1\n")
    for said in ("2 lines with one instrument: GX-1", "driver: expected one of", "1 is no speed"):
        assert said in told
    assert "one link" not in told


def test_lines_without_a_name_are_not_told_as_one(tmp_path: Path) -> None:
    nameless = '[[line]]\ndriver = "genexpert"\n'
    told = refused(tmp_path, TOP + nameless + 'link = "/dev/a"\n' + nameless + 'link = "/dev/b"\n')
    assert told.count("instrument: missing") == 2
    assert "one spool" not in told


def test_a_file_may_be_checked_alone(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["run", "--check", str(written(tmp_path, TOP + LINE))])
    assert (told.exit_code, told.stdout) == (0, "1 lines, all well\n")
