"""How many field teams are out at each moment: as many as the curve of the day brings people."""

import math
from typing import Final

from locust import LoadTestShape, User

from loadtests.day.desks import A_PERSON_H, FIELD_TEAMS
from loadtests.day.person import Person
from loadtests.day.plan import Arrivals, intensity
from loadtests.day.today import Today

SLACK: Final = 1.4  # teams beyond what the mean needs: people come in families, not evenly
FEWEST_TEAMS: Final = 8  # each kind of desk is there, whoever comes late
MOST_TEAMS: Final = 240
ANSWER_S: Final = 0.05  # of ours, that a registration adds to a person's time at a desk
AT_ONCE: Final = 100.0  # users a second


class ShapeOfTheDay(LoadTestShape):
    """The morning's ramp, the dip at noon, the afternoon; afterwards the laboratory alone."""

    def __init__(self, today: Today, laboratory: tuple[type[Person], ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # locust's own
        self._today = today
        self._staff = sum(kind.fixed_count for kind in laboratory)
        self._users: list[type[User]] = [*laboratory, *FIELD_TEAMS]
        clock = today.clock
        a_person_s = A_PERSON_H * 3600 / clock.compress + ANSWER_S
        a_day_s = clock.hours * 3600 / clock.compress
        people = len(today.plan.commune.villagers)
        self._busiest = SLACK * people * Arrivals().busiest() / a_day_s * a_person_s
        self.closed = False

    def teams(self) -> int:
        """How many teams are out now."""
        clock = self._today.clock
        wanted = math.ceil(self._busiest * intensity(clock.now_h() / clock.hours))
        if self._today.waiting.standing(clock.now_h()) > wanted:
            wanted *= 2  # queues in the street: whoever can hold a swab goes out
        return min(MOST_TEAMS, max(FEWEST_TEAMS, wanted))

    def tick(self) -> tuple[int, float, list[type[User]] | None] | None:
        """None ends the day; locust asks once a second."""
        if self.closed:
            return None
        return self._staff + self.teams(), AT_ONCE, self._users
