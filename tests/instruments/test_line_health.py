"""What a gateway says of a line is what the LIMS takes: one bad word would silence all lines."""

import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from instruments.lims_door import LimsDoor
from instruments.line_driver import line_driver
from instruments.station import LineSettings, Station
from lims.api.gateways import LineBody

NOW = datetime(2021, 7, 13, 9, 0, tzinfo=UTC)


def test_a_line_with_the_longest_of_links_can_be_told(tmp_path: Path) -> None:
    door = LimsDoor("http://127.0.0.1:1/api/v1/messages", tmp_path / "token")
    settings = LineSettings(
        "qs-1", line_driver("quantstudio", None), "/mnt/" + "folder/" * 60, tmp_path / "spool"
    )
    health = Station(settings, door, threading.Event()).health(NOW)
    door.close()
    LineBody.model_validate({**asdict(health)})
