"""A laboratory's day in hours: pools come, machines run, positive pools are resolved among them.

Four machines of 94 wells and runs of two hours, loaded half an hour apart give or take a quarter;
what is to be tested after a result stands prepared three quarters of an hour later and goes ahead
of the day's new pools. What every tube shows is the simulator's truth (stories.md): viral loads of
the clinical mix, dilution, wells and runs that fail. Members carry virus independently.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from uuid import UUID

from lims.demo.physics import CONTROL_FAILURE
from lims.domain.pooling.calls import Call
from lims.domain.pooling.choice import Choice, PoolAtHand, Resolution, choose
from lims.domain.pooling.dilution import CLINICAL, LoadMix
from lims.domain.pooling.simulated import USUAL_BENCH, as_stored
from lims.domain.pooling.under_way import Labels
from loadtests.pooling.pool_of_swabs import PoolOfSwabs
from loadtests.pooling.queueing import RUN_HOURS, SETUP_HOURS, WELLS, Machines, Queue, Run, Wanted
from loadtests.pooling.queueing import run_day as run_machines

_LATE_H: Final = 60.0  # after the last arrival: whatever waits then is not waited for
_UNEVEN_H: Final = 0.25


@dataclass(frozen=True, slots=True)
class Setting:
    """``people_per_hour``: for each machine. ``hours``: in which pools come."""

    people_per_hour: float = 300
    prevalence: float = 0.01
    members: int = 20
    machines: int = 4
    hours: float = 12
    mix: LoadMix = CLINICAL


@dataclass(frozen=True, slots=True)
class Day:
    """What one day came to. ``named_h``, ``confirmed_h``: from the pool's positive, of each
    infected member of a detected pool who was. ``left``: those who never were confirmed.
    ``waited_h``: of each primary pool, from its arrival to its run. ``wells``: of each positive
    pool, after its own."""

    named_h: tuple[float, ...]
    confirmed_h: tuple[float, ...]
    left: int
    waited_h: tuple[float, ...]
    wells: tuple[int, ...]
    chosen: tuple[str, ...]


Rule = Callable[[PoolAtHand], Choice]


def live(setting: Setting, asked: Resolution | None, *, seed: int, rule: Rule = choose) -> Day:
    """One day; ``asked`` None: nobody resolves anything. The same pools come at the same hours to
    whatever resolves them."""
    day = _Laboratory(setting, asked, seed, rule)
    run_machines(
        _machines(setting, Random(f"machines {seed}")),
        day.arrivals,
        day.queue,
        loaded=day.loaded,
        answered=day.answered,
        until_h=setting.hours + _LATE_H,
    )
    return day.told()


def _machines(setting: Setting, chance: Random) -> Machines:
    apart = RUN_HOURS / setting.machines
    return Machines(
        tuple(
            max(0.0, apart * number + chance.uniform(-_UNEVEN_H, _UNEVEN_H))
            for number in range(setting.machines)
        )
    )


class _Laboratory:
    def __init__(self, setting: Setting, asked: Resolution | None, seed: int, rule: Rule) -> None:
        self.queue = Queue()
        self._asked, self._rule = asked, rule
        self._prevalence = setting.prevalence
        self._chance = Random(f"wells {seed}")
        self._labels = Labels()
        self._pools: list[PoolOfSwabs] = []
        self._owner: dict[UUID, PoolOfSwabs] = {}
        self._waited: dict[UUID, float] = {}
        self.arrivals = self._coming(setting, Random(f"pools {seed}"))

    def _coming(self, setting: Setting, chance: Random) -> Sequence[Wanted]:
        rate = setting.machines * setting.people_per_hour / setting.members
        at_h, coming = chance.expovariate(rate), []
        while at_h < setting.hours:
            cts = [_swab(chance, setting) for _ in range(setting.members)]
            pool = PoolOfSwabs(self._labels, cts)
            self._pools.append(pool)
            self._owner[pool.master.id] = pool
            coming.append(Wanted(pool.master.id, 5, at_h))
            at_h += chance.expovariate(rate)
        return coming

    def loaded(self, run: Run) -> None:
        """What is in a machine is not cancelled any more."""
        for test in run.tests:
            pool = self._owner[test.tube]
            pool.plate(test.tube)
            if test.tube == pool.master.id:
                self._waited.setdefault(test.tube, run.started_h - test.ready_h)

    def answered(self, run: Run) -> None:
        """A run has ended: its pools are concluded one after another, as its message is."""
        good = self._chance.random() >= CONTROL_FAILURE
        touched: dict[UUID, PoolOfSwabs] = {}
        for test in run.tests:
            pool = self._owner[test.tube]
            pool.measure(self._chance, test.tube, run_is_good=good)
            touched[pool.master.id] = pool
        for pool in touched.values():
            change = pool.decide(run.ended_h, self._choosing if self._asked else None)
            for tube in change.drop:
                self.queue.cancel(tube)
            for tube, priority in change.add:
                self._owner[tube] = pool
                self.queue.add(Wanted(tube, priority, run.ended_h + SETUP_HOURS))

    def _choosing(self, call: Call, sources: int) -> Choice:
        """As ``lims.work.resolution`` asks for it: with the wells that the queue leaves."""
        if self._asked is None:
            raise ValueError("nobody resolves pools")
        choice = self._rule(
            PoolAtHand(
                asked=self._asked,
                sources=sources,
                single_tubes=True,
                outcome=call.outcome,
                ct_cycles=call.ct_cycles,
                wells_free=max(0, WELLS - len(self.queue)),
                queue_runs=len(self.queue) / WELLS,
            )
        )
        return as_stored(choice, sources, self._prevalence, USUAL_BENCH)

    def told(self) -> Day:
        """When all is over."""
        named, confirmed, wells, chosen, left = [], [], [], [], 0
        for pool in self._pools:
            if pool.detected_h is None:
                continue
            named += [at - pool.detected_h for at in pool.named_h.values()]
            confirmed += [at - pool.detected_h for at in pool.confirmed_h.values()]
            left += len(pool.infected) - len(pool.confirmed_h)
            wells.append(pool.wells)
            chosen.append(str(pool.choice.strategy) if pool.choice else "")
        return Day(
            tuple(named),
            tuple(confirmed),
            left,
            tuple(self._waited.values()),
            tuple(wells),
            tuple(chosen),
        )


def _swab(chance: Random, setting: Setting) -> float | None:
    if chance.random() >= setting.prevalence:
        return None
    shares = [one.share for one in setting.mix.components]
    (load,) = chance.choices(setting.mix.components, weights=shares)
    ct = chance.gauss(load.mean_ct, load.sd_cycles)
    return min(max(ct, setting.mix.lowest_ct), setting.mix.highest_ct)
