"""The reviewer at the pages, as a person with a browser: held runs, and the last word on positives.

There is no machine's way to this and shall be none: it waits for a person (docs: what is
automatic). The demonstration signs in with the reviewer's own login and presses the buttons.
"""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx

from lims.demo.client import PATIENCE_S, NoAnswer, Refused, Stopped

_FORGERY_TOKEN: Final = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_RELEASE: Final = re.compile(r'name="only" value="([0-9a-f-]{36}:[0-9a-f]+)"')
_CASE: Final = re.compile(r"/handoff/cases/([0-9a-f-]{36})")
_PAUSE_S: Final = 0.15
DOUBT: Final = "Lô hoá chất tách chiết bị nghi hỏng (demo)"


@dataclass
class Reviewer:
    """One browser. Every button may be pressed again: a release twice changes nothing."""

    url: str
    password: str
    stop: threading.Event
    transport: httpx.BaseTransport | None = None
    _browser: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self._browser = httpx.Client(
            base_url=self.url,
            timeout=20.0,
            follow_redirects=True,
            transport=self.transport,
            trust_env=False,
        )

    def release_run(self, run_id: str) -> None:
        """What a run with a late positive control did detect counts; the rest runs again."""
        page = self._page("/review?show=runs")
        self._press(f"/review/runs/{run_id}/release", token_in(page))

    def release_positives(self, *, leave: int) -> int:
        """Say the final word on all but the last ``leave``; how many that were."""
        pressed: set[str] = set()
        while True:
            page = self._page("/review?show=positives")
            waiting = dict.fromkeys(_RELEASE.findall(page.text))
            theirs = list(waiting)[: max(0, len(waiting) - leave)]
            fresh = [one for one in theirs if one not in pressed]
            if not fresh:
                return len(pressed)
            for finding in fresh:
                self._press("/review/findings/release", token_in(page), only=finding)
                pressed.add(finding)

    def cases_on(self, plate: str) -> int:
        """How many people are F0 by this plate's results, as the preview of a recall lists them."""
        return len(set(_CASE.findall(self._preview(plate).text)))

    def recall_run(self, plate: str) -> None:
        """Take back what was said by this plate; again, it answers the same."""
        page = self._preview(plate)
        asked = {name: _field(page, name) for name in ("recall_id", "kind", "subject")}
        self._press("/recall", token_in(page), **asked, reason=DOUBT)

    def _preview(self, plate: str) -> httpx.Response:
        return self._page(f"/recall/preview?kind=run&subject={plate}")

    def _page(self, path: str) -> httpx.Response:
        """The page, signing in where it asks for that."""
        page = self._ask("GET", path)
        until = time.monotonic() + PATIENCE_S
        while page.url.path == "/login":
            if time.monotonic() > until:
                raise NoAnswer(f"no sign-in for {PATIENCE_S:.0f} s")
            try:
                return signed_in(self._once, "reviewer", self.password, path)
            except httpx.TransportError:
                # It may have counted: the old form's token would be refused, so look again.
                page = self._ask("GET", path)
        return page

    def _once(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        return self._browser.request(method, path, data=form)

    def _press(self, path: str, token: str, **form: str) -> None:
        self._ask("POST", path, {"csrf_token": token, **form})

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


class Ask(Protocol):
    """A browser's way of asking: a method, a path, and a form where one is posted."""

    def __call__(
        self, method: str, path: str, form: dict[str, str] | None = None
    ) -> httpx.Response:
        """The answer, redirects followed."""


def signed_in(ask: Ask, login: str, password: str, path: str) -> httpx.Response:
    """The page at ``path`` after signing in. Raises Refused, and what ``ask`` raises."""
    form = {"csrf_token": token_in(ask("GET", "/login")), "login": login, "password": password}
    ask("POST", "/login", form)
    page = ask("GET", path)
    if page.url.path == "/login":
        raise Refused(path, page.status_code, f"{login} cannot sign in")
    return page


def _field(page: httpx.Response, name: str) -> str:
    """What a form hides under this name. Raises Refused where it is not there."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    if found is None:
        raise Refused(page.url.path, page.status_code, f"no {name} on the page")
    return found[1]


def token_in(page: httpx.Response) -> str:
    """The page's forgery token. Raises Refused where there is no form."""
    found = _FORGERY_TOKEN.search(page.text)
    if found is None:
        raise Refused(page.url.path, page.status_code, "no form on the page")
    return found[1]
