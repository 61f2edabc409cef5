"""A station's way to the LIMS: its API with a token, asked again until it has answered.

Every body carries an id that its sender minted, so asking again is safe. What is asked again:
no connection, a broken one, 5xx and 429 - the web process or the database may just be coming back.
"""

import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx

from lims.demo.telling import Broke

PATIENCE_S: Final = 180.0  # a laden machine starts a web process in sixty
_PAUSE_S: Final = 0.15


class Refused(Broke):
    """The LIMS said no: a fault of the story or of the LIMS, never of chance."""

    def __init__(self, path: str, status: int, problem: str) -> None:
        super().__init__(f"{path}: {status} {problem[:500]}")
        self.status = status


class NoAnswer(Broke):
    """The LIMS did not answer within the station's patience."""


class Stopped(Broke):
    """The demonstration is over."""


class Station:
    """One desk, bench or office; not shared between threads.

    ``transport`` stands in for the plain one where somebody measures every exchange.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        stop: threading.Event,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._stop = stop
        self._client = httpx.Client(
            base_url=f"{base_url}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(20.0, connect=5.0),
            transport=transport,
            trust_env=False,  # a proxy has no business with this machine's own port
        )

    def __enter__(self) -> "Station":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """The desk is closed."""
        self._client.close()

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The receipt. Raises Refused, NoAnswer, Stopped."""
        return self._ask("POST", path, body)

    def get(self, path: str) -> Any:
        """The answer. Raises Refused, NoAnswer, Stopped."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        until = time.monotonic() + PATIENCE_S
        why = ""
        while time.monotonic() < until:
            if self._stop.is_set():
                raise Stopped
            try:
                response = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                why = type(error).__name__
            else:
                if response.is_success:
                    return response.json()
                if response.status_code < 500 and response.status_code != 429:
                    raise Refused(path, response.status_code, response.text)
                why = str(response.status_code)
            self._stop.wait(_PAUSE_S)
        raise NoAnswer(f"{method} {path}: {why} for {PATIENCE_S:.0f} s")
