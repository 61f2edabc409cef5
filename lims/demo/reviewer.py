"""The reviewer at the pages, as a person with a browser: held runs, and the last word on positives.

There is no machine's way to this and shall be none: it waits for a person (docs: what is
automatic). The demonstration signs in with the reviewer's own login and presses the buttons.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Final

import httpx

from lims.demo.client import PATIENCE_S, NoAnswer, Refused, Stopped

_FORGERY_TOKEN: Final = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_RELEASE: Final = re.compile(r'name="only" value="([0-9a-f-]{36}:[0-9a-f]+)"')
_PAUSE_S: Final = 0.15


@dataclass
class Reviewer:
    """One browser. Every button may be pressed again: a release twice changes nothing."""

    url: str
    password: str
    stop: threading.Event
    _browser: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._browser = httpx.Client(
            base_url=self.url, timeout=20.0, follow_redirects=True, trust_env=False
        )

    def release_run(self, run_id: str) -> None:
        """What a run with a late positive control did detect counts; the rest runs again."""
        self._press(f"/review/runs/{run_id}/release", beside="/review?show=runs")

    def release_positives(self, *, leave: int) -> int:
        """Say the final word on all but the last ``leave``; how many that were."""
        pressed: set[str] = set()
        while True:
            waiting = dict.fromkeys(_RELEASE.findall(self._page("/review?show=positives")))
            theirs = list(waiting)[: max(0, len(waiting) - leave)]
            fresh = [one for one in theirs if one not in pressed]
            if not fresh:
                return len(pressed)
            for finding in fresh:
                self._press(
                    "/review/findings/release", beside="/review?show=positives", only=finding
                )
                pressed.add(finding)

    def _page(self, path: str) -> str:
        """The page, signing in where it asks for that."""
        page = self._ask("GET", path)
        if page.url.path != "/login":
            return page.text
        form = {"csrf_token": _token_in(page), "login": "reviewer", "password": self.password}
        self._ask("POST", "/login", form)
        again = self._ask("GET", path)
        if again.url.path == "/login":
            raise Refused(path, again.status_code, "the reviewer cannot sign in")
        return again.text

    def _press(self, path: str, *, beside: str, **form: str) -> None:
        page = self._page(beside)
        token = _FORGERY_TOKEN.search(page)
        self._ask("POST", path, {"csrf_token": token[1] if token else "", **form})

    def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.stop.is_set():
                raise Stopped
            try:
                answer = self._browser.request(method, path, data=form)
            except httpx.TransportError:
                self.stop.wait(_PAUSE_S)
                continue
            if answer.status_code < 400:
                return answer
            if answer.status_code < 500:
                raise Refused(path, answer.status_code, answer.text)
            self.stop.wait(_PAUSE_S)
        raise NoAnswer(f"{method} {path}: no answer for {PATIENCE_S:.0f} s")


def _token_in(page: httpx.Response) -> str:
    found = _FORGERY_TOKEN.search(page.text)
    if found is None:
        raise Refused(page.url.path, page.status_code, "no form on the page")
    return found[1]
