"""People at pages: the reviewer who has the last word, tracers at their board, the operator."""

import re
from typing import ClassVar, Final

import gevent
import httpx

from lims.demo.client import Refused
from lims.demo.reviewer import signed_in, token_in
from loadtests.day.person import LOOK_S, Person

REVIEW_H: Final = 0.40
LOOK_AGAIN_S: Final = 3.0  # of ours: people at a board do not look faster in a compressed day
CLAIMS_ONE_IN: Final = 3
_CLAIM: Final = re.compile(r"/handoff/cases/[0-9a-f-]{36}/claim")


class Reviewing(Person):
    """Reads every positive that waits and releases it, sitting by sitting."""

    fixed_count = 1

    def on_start(self) -> None:
        """Sign in."""
        self.reviewer = self.today.reviewer()

    def work(self) -> bool:
        gevent.sleep(self.today.clock.seconds(REVIEW_H) or LOOK_S * 5)
        self.today.busy += 1
        try:
            released = self.reviewer.release_positives(leave=0)
        finally:
            self.today.busy -= 1
        self.today.done["positives released"] += released
        return True


class AtAPage(Person):
    """Somebody who looks at one page again and again."""

    abstract = True
    login: ClassVar[str]
    path: ClassVar[str]

    def on_start(self) -> None:
        """Sign in."""
        today = self.today
        self.browser = httpx.Client(
            base_url=today.premises.url,
            transport=today.meter(),
            timeout=20.0,
            follow_redirects=True,
            trust_env=False,
        )

    def work(self) -> bool:
        try:
            page = self.ask("GET", self.path)
            if page.url.path == "/login":
                password = self.today.premises.keys.password
                with self.today.at_the_door:
                    page = signed_in(self.ask, self.login, password, self.path)
            self.read(page)
        except (httpx.TransportError, Refused):
            pass  # the meter has judged it; a person presses reload
        gevent.sleep(LOOK_AGAIN_S)
        return True

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response:
        """Raises what the connection raises."""
        return self.browser.request(method, path, data=form)

    def read(self, page: httpx.Response) -> None:
        """What the person does with what they see."""


class Tracer(AtAPage):
    """At the board of F0s without a team; now and then takes one."""

    fixed_count = 2
    login = "tracer"
    path = "/handoff"
    _looks = 0

    def read(self, page: httpx.Response) -> None:
        found = _CLAIM.search(page.text)
        self._looks += 1
        if found is None or self._looks % CLAIMS_ONE_IN:
            return
        self.ask("POST", found[0], {"csrf_token": token_in(page)})
        self.today.done["cases claimed at the board"] += 1


class Operator(AtAPage):
    """Watches the whole day."""

    fixed_count = 1
    login = "operator"
    path = "/"


BROWSERS: Final[tuple[type[Person], ...]] = (Reviewing, Tracer, Operator)
