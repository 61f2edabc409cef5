"""What every kind of user of the day has in common."""

from typing import ClassVar

import gevent
from locust import User, constant, task

from lims.demo.client import Stopped
from loadtests.day.today import Today

LOOK_S = 0.1


class Person(User):
    """Works when there is work, else looks again in a moment. What breaks is kept, never hidden."""

    abstract = True
    wait_time = constant(0)
    today: ClassVar[Today]

    _working: "gevent.Greenlet[..., bool] | None" = None

    @task
    def turn(self) -> None:
        """One piece of work, in a greenlet of its own: locust may take the user off at any switch,
        and a household that stands at the desk is registered all the same."""
        self._working = gevent.spawn(self._worked)
        if not self._working.get():
            gevent.sleep(LOOK_S)

    def on_stop(self) -> None:
        """Finish what is in hand before going home."""
        if self._working is not None:
            self._working.join()

    def _worked(self) -> bool:
        try:
            return self.work()
        except Stopped:
            gevent.sleep(LOOK_S)
        except Exception as fault:
            self.today.broke.append(f"{type(self).__name__}: {type(fault).__name__} {fault}"[:600])
            gevent.sleep(LOOK_S)
        return True

    def work(self) -> bool:
        """False when there was nothing to do."""
        raise NotImplementedError
