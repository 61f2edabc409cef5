"""A real file system that fills up under the gateway: what was acknowledged reaches the LIMS, and
the rest is taken again as what was delivered makes room."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.instruments.bench_stand import IMPATIENT_S, a_plate, bench_in
from tests.instruments.test_many_lines import lines, standing, taken_of
from tests.until import until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB of its own."""
    place = tmp_path / "spools"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("only who may mount has a disk to fill")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.usefixtures("small_disk")
def test_a_real_disk_that_fills_up_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with bench_in(tmp_path) as bench:
        bench.lims.start()
        bench.lims.stop()
        analyser = bench.analyser(tty="c1", reply_timeout_s=IMPATIENT_S)
        gateway = bench.gateway_of(*lines("c1"))
        for number in range(6):  # more would wait in the analyser's own standard input
            analyser.tell(a_plate(f"PL{number}", wells=94))
        until(lambda: gateway.events("not kept"), "a full disk")
        until(lambda: standing(bench, "c1")["trouble"] == "disk-full", "its status all the same")
        assert len(analyser.lines) < 6
        bench.lims.start()
        until(lambda: len(taken_of(bench, "c1")) == 6, "all that was acknowledged, and the rest")
        assert taken_of(bench, "c1") == [f"PL{n}" for n in range(6)]
        gateway.end(signal.SIGTERM)
