"""Every ten seconds the gateway tells the LIMS how its lines stand. What cannot be told is not
kept: only the latest counts."""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import httpx
import structlog

from instruments.lims_door import LimsDoor, NoToken
from instruments.station import Station, utc_now

EVERY_S: Final = 10.0
FILE_EVERY_S: Final = 2.0  # what `lims-gateway status` reads
FIRST_S: Final = 0.5  # the lines are open by then
PATH: Final = "/gateways/heartbeat"

_log = structlog.get_logger()


class Heartbeat:
    """One gateway's; one thread's work."""

    def __init__(self, gateway: str, stations: Sequence[Station], lims: LimsDoor) -> None:
        self._gateway = gateway
        self._stations = stations
        self._lims = lims
        self._told: bool | None = None

    def run(self, stop: threading.Event) -> None:
        beats = 0
        while not stop.wait(FILE_EVERY_S if beats else FIRST_S):
            lines = [station.say_health(utc_now()) for station in self._stations]
            if beats % round(EVERY_S / FILE_EVERY_S) == 0:
                self._post([asdict(line) for line in lines])
            beats += 1
        for station in self._stations:
            station.say_health(utc_now())

    def _post(self, lines: Sequence[object]) -> None:
        body = {"gateway": self._gateway, "version": _version(), "lines": lines}
        try:
            answer = self._lims.post(self._lims.at(PATH), json.dumps(body).encode("utf-8"))
            told, why = answer.status_code in (200, 201), f"status {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, NoToken, OSError, ValueError) as error:
            told, why = False, str(error)
        if told is not self._told:
            self._told = told
            _log.info("heartbeat taken") if told else _log.warning("heartbeat not taken", why=why)


def _version() -> str:
    try:
        return version("thantoc")
    except PackageNotFoundError:
        return "unknown"
