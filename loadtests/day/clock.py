"""Hours of the day's story, and the seconds they take here."""

import time
from dataclasses import dataclass, field

SECONDS_AN_HOUR = 3600.0


@dataclass
class DayClock:
    """A day of ``hours``, lived ``compress`` times as fast; it starts when ``begin`` is called."""

    hours: float
    compress: float
    _began: float | None = field(default=None, init=False)

    def begin(self) -> None:
        """The doors open."""
        self._began = time.monotonic()

    def elapsed_s(self) -> float:
        """Seconds of ours since the doors opened; 0 before."""
        return 0.0 if self._began is None else time.monotonic() - self._began

    def now_h(self) -> float:
        """The hour of the story; it runs on past the day's end."""
        return self.elapsed_s() * self.compress / SECONDS_AN_HOUR

    def over(self) -> bool:
        """Whether the day's hours have passed; what is still open is then closed without waits."""
        return self.now_h() >= self.hours

    def seconds(self, hours: float) -> float:
        """How long so many hours of the story take here; nothing waits once the day is over."""
        return 0.0 if self.over() else hours * SECONDS_AN_HOUR / self.compress
