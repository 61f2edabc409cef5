"""A profile as a line's driver, and our own barcodes' check beside the analyser."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from instruments.analyser_messages import genexpert_message
from instruments.drivers.profile_driver import PROFILES
from instruments.gateway import main
from instruments.measurement import Capture
from instruments.spool import Spool
from lims.domain import barcodes
from tests.instruments.bench_stand import Bench, a_plate, bench_in
from tests.instruments.folder_stand import WHOLE
from tests.instruments.test_files_profile import FILE
from tests.instruments.xpert_stand import Xpert
from tests.until import until

ENDED = datetime(2021, 11, 21, 9, 12, tzinfo=UTC)
RIGHT = barcodes.mint("TT", "7K", 123_456_789)
SWAPPED = RIGHT[:5] + RIGHT[6] + RIGHT[5] + RIGHT[7:]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with bench_in(tmp_path) as bench:
        yield bench


def invoked(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def by_profile(bench: Bench, name: str) -> dict[str, object]:
    """The profile lies beside gateway.toml, and the line's driver is left out."""
    mine = bench.folder / "mine.toml"
    mine.write_bytes((PROFILES / name).read_bytes())
    return {"instrument": "c1", "driver": None, "profile": "mine.toml"}


def taken(bench: Bench) -> Capture:
    until(lambda: bench.lims.taken, "the message")
    return bench.lims.captures[0]


def test_a_machine_on_a_line_is_read_by_its_profile(bench: Bench) -> None:
    analyser = bench.analyser("plate", tty="c1")
    line = by_profile(bench, "plate-astm.toml")
    bench.gateway_of(line)
    analyser.tell(a_plate("PL1"))
    capture = taken(bench)
    assert (capture.driver, capture.driver_version) == ("plate-astm", "1")
    assert (len(capture.measurements), capture.quarantine) == (6, None)
    until(lambda: analyser.lines, "its acknowledgement")
    status = json.loads(invoked("status", bench.file, "--json").stdout)["lines"][0]
    assert status["driver"] == "plate-astm"
    spool = bench.folder / "spools" / "c1"
    until(Spool(spool).last_health, "the gateway's word")
    told = invoked("replay", "--spool", spool, "--since", "2021-01-01", "--dry-run", "--json")
    assert [each["measurements"] for each in json.loads(told.stdout)["replayed"]] == [6]


def test_a_folder_is_read_by_a_profile_which_says_what_files_are_its(bench: Bench) -> None:
    exports = bench.folder / "exports"
    exports.mkdir()
    (exports / "another-program.txt").write_bytes(WHOLE)
    (exports / "PL7.csv").write_text(FILE, "utf-8")
    line = by_profile(bench, "slan96-vi.toml")
    bench.gateway_of({**line, "link": str(exports), "settle_s": 0.5})
    capture = taken(bench)
    assert (capture.driver, capture.measurements[0].run) == ("slan96-vi", "PL7")
    assert len(bench.lims.taken) == 1, "only *.csv is its"


def test_one_line_by_options_may_have_a_profile_and_sites(bench: Bench) -> None:
    bench.analyser("plate", tty="tty").tell(a_plate("PL1"))
    bench.gateway(driver=None, more=("--profile", PROFILES / "plate-astm.toml", "--site", "TT"))
    assert taken(bench).driver == "plate-astm"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('profile = "mine.toml"\n', "c1: profile mine.toml: columns.wel: not known here"),
        ('profile = "none.toml"\n', "none.toml: No such file"),
        ('profile = "mine.toml"\ndriver = "genexpert"\n', "either driver or profile"),
        ("", "driver: missing; or profile"),
        ('driver = "genexpert"\nsites = ["TTX"]\n', "expected two of 0-9 and A-Z, came 'TTX'"),
        ('driver = "genexpert"\nsites = "TT"\n', "sites: expected a list of texts"),
        ('driver = "genexpert"\nhost_query = true\n', "host_query: needs tests"),
        ('driver = "genexpert"\nhost_query = 1\n', "host_query: expected true or false"),
        ('driver = "genexpert"\ntests = {a = "B"}\n', "tests: only with host_query"),
        ('driver = "genexpert"\nhost_query = true\ntests = {a = 1}\n', "tests: expected"),
        ('driver = "sofia2"\nhost_query = true\ntests = {a = "B"}\n', "speaks ASTM or HL7"),
    ],
)
def test_what_is_wrong_with_a_line_s_driver_is_said_by_the_check(
    bench: Bench, line: str, said: str
) -> None:
    whole = (PROFILES / "slan96-vi.toml").read_text("utf-8")
    (bench.folder / "mine.toml").write_text(whole.replace("\nwell = ", "\nwel = "), "utf-8")
    bench.file.write_text(
        'post = "https://lims.example/api/v1/messages"\ntoken_file = "token"\nspool = "spools"\n'
        f'[[line]]\ninstrument = "c1"\nlink = "/dev/ttyUSB0"\n{line}'
    )
    told = invoked("run", "--check", bench.file)
    assert (told.exit_code, said in told.stderr) == (2, True), told.stderr


def test_swapped_bytes_under_a_right_checksum_are_quarantined_not_another_s_result(
    bench: Bench,
) -> None:
    assert not barcodes.is_valid(SWAPPED)
    xpert = Xpert(bench.folder / "GX-1")
    bench.lims.start()
    line = {"instrument": "GX-1", "driver": "genexpert", "sites": ["TT"]}
    gateway = bench.gateway_of(line)
    until(lambda: gateway.events("link up"), "the line")
    told = genexpert_message([RIGHT], {"E": 24.1}, call="POSITIVE", serial="8", ended_at=ENDED)
    xpert.says(*told, on_the_wire=lambda body: body.replace(RIGHT.encode(), SWAPPED.encode()))
    capture = taken(bench)
    assert capture.quarantine
    assert (capture.quarantine.reason, capture.measurements) == ("check-character", ())
    assert SWAPPED.encode() in capture.raw
    spool = bench.folder / "spools" / "GX-1"
    until(Spool(spool).last_health, "the gateway's word")
    again = invoked("replay", "--spool", spool, "--since", "2021-01-01", "--dry-run", "--json")
    (read,) = json.loads(again.stdout)["replayed"]
    assert read["quarantine"].startswith("check-character: "), "nor by a replay of the folder alone"
    bench.lims.taken.clear()
    xpert.says(*told)
    assert taken(bench).measurements[0].specimen == RIGHT
    xpert.close()


def test_the_sites_of_the_whole_gateway_are_a_line_s_unless_it_says_otherwise(
    bench: Bench,
) -> None:
    exports = bench.folder / "exports"
    exports.mkdir()
    whole = FILE.replace("Mã đĩa;PL7", "Mã đĩa;PL8").replace("TT7K40FQ9XB", SWAPPED)
    (exports / "PL8.csv").write_text(whole, "utf-8")
    line = {**by_profile(bench, "slan96-vi.toml"), "link": str(exports), "settle_s": 0.5}
    bench.gateway_of(line, top='sites = ["TT"]\n')
    quarantine = taken(bench).quarantine
    assert quarantine
    assert (quarantine.reason, SWAPPED in quarantine.detail) == ("check-character", True)
