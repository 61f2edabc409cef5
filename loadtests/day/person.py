"""What every kind of user of the day has in common."""

from typing import ClassVar

import gevent
from locust import User, constant, task

from lims.demo.client import Stopped
from lims.demo.telling import Broke
from loadtests.day.today import Today

LOOK_S = 0.1


class Person(User):
    """Works when there is work, else looks again in a moment. What breaks is kept, never hidden."""

    abstract = True
    wait_time = constant(0)
    today: ClassVar[Today]

    @task
    def turn(self) -> None:
        """One piece of work; it is finished also when locust takes the user off."""
        try:
            worked = self.work()
        except Stopped:
            self.environment.runner.quit()
            return
        except (Broke, RuntimeError) as fault:
            self.today.broke.append(f"{type(self).__name__}: {fault}")
            worked = True
        if not worked:
            gevent.sleep(LOOK_S)

    def work(self) -> bool:
        """False when there was nothing to do."""
        raise NotImplementedError
