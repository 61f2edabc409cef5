"""The tests that split a pool with the least work: Bayes' rule over every subset of its members.

First a handful of overlapping sub-pools, each member in some of them as a code word; then, of what
those leave open, the likely ones alone and the others in check pools. The first are worked out from
the pool alone and stay wanted until each has answered or failed, whatever order the answers come
in; what follows is worked out from all that was measured.

Sources: Dorfman 1943 for the size of a pool and the prevalence it is made for; pooling.bayes for
the rest.
"""

from collections import Counter
from typing import Final
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.bayes.classify import Stands, classify
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.next_tests import Limits, next_tests
from lims.domain.pooling.bayes.posterior import Measurement, Posterior, posterior
from lims.domain.pooling.bayes.states import independent
from lims.domain.pooling.grid import Grid
from lims.domain.pooling.strategy import Next, Question, SubPool

_SAID: Final = frozenset({Outcome.DETECTED, Outcome.NOT_DETECTED})
_FIRST: Final = Limits(runs=2)
_LAST: Final = Limits(runs=1)
LARGEST: Final = 32  # members; a larger pool is parted by rows and columns

_OMITTED_MOST: Final = 0.05
"""Of the whole, what the larger pools' subsets may leave out: in a cluster that is much, and a
posterior without it names the wrong ones (pooling.md, "Pitfalls")."""

Line = tuple[UUID, ...]


class Adaptive:
    """Overlapping sub-pools, then who they point at alone and the rest in check pools."""

    name = "bayesian/1"

    def next(self, question: Question) -> Next:
        """The first sub-pools while one is without an answer; then what the evidence asks for."""
        if len(question.pool.sources) > LARGEST:
            return Grid().next(question)
        wanted: list[SubPool] = []
        alone = question.only_alone()
        for number, line in enumerate(first_lines(question.pool.sources, _risk(question)), start=1):
            opened, made = question.askable(line), question.prepared(line)
            if not opened or (made is not None and made.id in question.known):
                continue
            if made is None and len(opened) == 1:
                alone.extend(opened)
                continue
            sources = made.sources if made is not None else question.drawable(line)
            wanted.append(SubPool(1, f"pool {number}", sources))
        if not wanted:
            return _after(question, alone)
        tubes = dict.fromkeys(s for s in alone if question.testable(s))
        return Next(tubes=tuple(tubes), sub_pools=tuple(wanted))


def first_lines(sources: Line, risk: float) -> tuple[Line, ...]:
    """Of the first run: of the pool alone, so that no answer changes them."""
    members = len(sources)
    pool = Measurement(Role.MASTER, tuple(range(members)), detected=True)
    batch = next_tests(posterior(independent([risk] * members), [pool]), _FIRST)
    return tuple(tuple(sources[i] for i in test.members) for test in batch)


def usual_risk(members: int) -> float:
    """The prevalence for which a pool of this size needs the fewest tests in two stages, near
    enough: 1 / n². What a laboratory expects, it says by the pools it makes."""
    return min(0.1, 1 / members**2)


def _risk(question: Question) -> float:
    """As it was stored with the choice."""
    return float(question.facts.get("prevalence") or usual_risk(len(question.pool.sources)))


def _after(question: Question, alone: list[UUID]) -> Next:
    seen = _seen(question)
    sources = question.pool.sources
    waiting = _unanswered(question)
    alone = [*alone, *_failed(question)]
    covered = {s for sub in waiting for s in sub.sources}.union(alone)
    tubes, checks = list(alone), list(waiting)
    lost = seen.contradicted or seen.omitted > _OMITTED_MOST
    for test in () if lost else next_tests(seen, _LAST):
        opened = [
            sources[i]
            for i in test.members
            if sources[i] in question.open_sources and sources[i] not in covered
        ]
        drawable = question.drawable(tuple(opened))
        made = question.prepared(drawable)
        if len(drawable) < 2 or (made is not None and made.id in question.known):
            tubes.extend(opened)
        else:
            checks.append(_check(question, drawable))
            tubes.extend(s for s in opened if s not in drawable)
    asked = tuple(dict.fromkeys(s for s in tubes if question.testable(s)))
    if lost or not (asked or checks):  # what is still open no sub-pool settles
        asked = tuple(s for s in question.open_sources if question.testable(s))
    return Next(tubes=asked, sub_pools=tuple(checks), named=_named(question, seen))


def _seen(question: Question) -> Posterior:
    """Invalid and inconclusive answers are no evidence."""
    sources = question.pool.sources
    place = {source: i for i, source in enumerate(sources)}
    told = [Measurement(Role.MASTER, tuple(range(len(sources))), detected=True)]
    attempts: Counter[tuple[int, ...]] = Counter()
    for tube in sorted(question.composition.sub_pools(question.pool.id), key=lambda t: t.id):
        call = question.call(tube)
        if call.outcome in _SAID:
            members = tuple(sorted(place[s] for s in tube.sources))
            attempts[members] += 1
            told.append(Measurement(Role.SUB_POOL, members, call.ever_detected, attempts[members]))
    for source in sources:
        call = question.call(question.composition.tubes[source])
        if call.outcome in _SAID:
            told.append(Measurement(Role.ALONE, (place[source],), call.ever_detected))
    return posterior(independent([_risk(question)] * len(sources)), told)


def _unanswered(question: Question) -> list[SubPool]:
    """Check pools that stand prepared and can still say something."""
    made = (
        tube
        for tube in question.composition.sub_pools(question.pool.id)
        if tube.id not in question.known and any(s in question.open_sources for s in tube.sources)
    )
    return [_check(question, tube.sources) for tube in sorted(made, key=lambda tube: tube.id)]


def _check(question: Question, sources: Line) -> SubPool:
    """Called by the place of its first tube: check pools share none, so that the name stays."""
    first = question.pool.sources.index(sources[0]) + 1
    return SubPool(2, f"check {first}", sources)


def _failed(question: Question) -> list[UUID]:
    """Whom a sub-pool that gave no answer leaves open: it is not made again."""
    failed = {
        source
        for tube in question.composition.sub_pools(question.pool.id)
        if tube.id in question.known and question.call(tube).outcome not in _SAID
        for source in tube.sources
    }
    return [source for source in question.open_sources if source in failed]


def _named(question: Question, seen: Posterior) -> dict[UUID, tuple[UUID, ...]]:
    """Whom the evidence points at, each with the detected tubes that held her."""
    named: dict[UUID, tuple[UUID, ...]] = {}
    for source, stands in zip(question.pool.sources, classify(seen), strict=True):
        if stands is Stands.PRESUMPTIVE and source in question.open_sources:
            tubes = (question.pool, *question.composition.sub_pools(question.pool.id))
            named[source] = tuple(
                tube.id
                for tube in tubes
                if source in tube.sources and question.call(tube).outcome is Outcome.DETECTED
            )
    return named
