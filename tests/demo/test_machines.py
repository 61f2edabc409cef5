"""The demonstration's machines as a gateway meets them: a file of lines, and a file in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from instruments.drivers.exports import FILE_DRIVERS
from instruments.files.export import Export
from instruments.lines_file import read_lines
from lims.demo.analysers import Analyser
from lims.demo.exporter import export_of
from lims.demo.machines import CARTRIDGES, DEMONSTRATION, QUANTSTUDIO, gateway_toml
from tests.until import WITHIN_S

PLATE = {
    "plate": "PL-0001-001",
    "wells": [
        {"well": "A01", "role": "negative_control", "targets": {"N": None, "IC": 27.0}},
        {"well": "B01", "role": "positive_control", "targets": {"N": 25.01, "IC": 27.0}},
        {"well": "C01", "specimen": "TT7K40FQ9XB", "targets": {"N": 24.83, "IC": 26.5}},
    ],
}
ENDED_AT = "2026-11-22T08:12:03+07:00"


def test_one_gateway_file_serves_three_different_machines(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    machines = (*DEMONSTRATION, CARTRIDGES)
    file.write_text(gateway_toml(tmp_path, "http://127.0.0.1:8080", machines, name="lab-1"))

    settings = read_lines(file)
    assert settings.post == "http://127.0.0.1:8080/api/v1/messages"
    assert {line.reads.name for line in settings.lines} == {"plate", "quantstudio", "genexpert"}
    assert [line.instrument for line in settings.lines] == [m.name for m in machines]


def test_what_the_quantstudio_exports_is_what_was_in_the_wells() -> None:
    content = export_of(PLATE | {"ended_at": ENDED_AT}, serial="QS-1")
    driver = FILE_DRIVERS[QUANTSTUDIO.driver]
    measured = {m.well: m for m in driver.measurements(Export(content, "PL-0001-001.txt"))}

    assert {m.run for m in measured.values()} == {"PL-0001-001"}
    assert measured["C01"].specimen == "TT7K40FQ9XB"
    assert {t.target: t.ct_cycles for t in measured["C01"].targets} == {"N": 24.83, "IC": 26.5}
    assert str(measured["B01"].role) == "positive_control"


def test_a_machine_told_the_same_after_a_kill_exports_the_same_bytes(tmp_path: Path) -> None:
    machine = Analyser(lambda _name: None)
    machine.measure("PL-0001-001", PLATE)
    contents = []
    for _ in range(2):
        exporter = subprocess.Popen(
            [sys.executable, "-m", "lims.demo.exporter", "--serial", "QS-1", "--folder", tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert exporter.stdin is not None
        said, _ = exporter.communicate(machine.pending[0] + "\n", timeout=WITHIN_S)
        assert json.loads(said) == {"sent": "PL-0001-001"}
        contents.append((tmp_path / "PL-0001-001.txt").read_bytes())
    assert contents[0] == contents[1]
