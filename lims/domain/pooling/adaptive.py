"""The tests that split a pool with the least work: Bayes' rule over every subset of its members.

First a handful of overlapping sub-pools, each member in some of them as a code word; then, of what
those leave open, the likely ones alone and the others in check pools. The first are worked out from
what was stored with the choice (how many carry it, who lives with whom, what the bench can do) and
stay wanted until each has answered or failed, whatever order the answers come in; what follows is
worked out from all that was measured.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from lims.domain.outcomes import Outcome
from lims.domain.pooling.bayes.classify import Stands, classify, held_negative
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.next_tests import Limits, Wanted, next_tests
from lims.domain.pooling.bayes.posterior import Posterior, posterior
from lims.domain.pooling.bayes.thought import batch_of, posterior_of
from lims.domain.pooling.bench_limits import limits_of
from lims.domain.pooling.grid import Grid
from lims.domain.pooling.measured import LARGEST, RULE, SAID, measured
from lims.domain.pooling.prior import Prior, prior_of
from lims.domain.pooling.strategy import Next, Question, SubPool

_OPEN: Final = frozenset({Stands.PRESUMPTIVE, Stands.UNRESOLVED})
DOUBTING: Final = frozenset({"bayesian/2", RULE})
"""Pools of before these rules are cleared by any negative sub-pool, as they were; under them, by
one that the posterior agrees with."""

FEWEST_NAMING: Final = 2  # detected tubes
FIRST_LINES: Final = "first_lines"  # of the facts: each line's places in the pool

Line = tuple[UUID, ...]
Places = tuple[tuple[int, ...], ...]


class Adaptive:
    """Overlapping sub-pools, then who they point at alone and the rest in check pools."""

    name = RULE

    def next(self, question: Question) -> Next:
        """The first sub-pools while one is without an answer; then what the evidence asks for."""
        if len(question.pool.sources) > LARGEST:
            return Grid().next(question)
        seen = _seen(question)
        doubted = _doubted(question, seen)
        question = _with(question, doubted)
        wanted: list[SubPool] = []
        alone = question.only_alone()
        for number, line in enumerate(first_lines(question), start=1):
            opened, made = question.askable(line), question.prepared(line)
            if not opened or (made is not None and made.id in question.known):
                continue
            if made is None and len(opened) == 1:
                alone.extend(opened)
                continue
            sources = made.sources if made is not None else question.drawable(line)
            wanted.append(SubPool(1, f"pool {number}", sources))
        if not wanted:
            return replace(_after(question, alone, seen), doubted=doubted)
        tubes = dict.fromkeys(s for s in alone if question.testable(s))
        return Next(tubes=tuple(tubes), sub_pools=tuple(wanted), doubted=doubted)


def first_lines(question: Question) -> tuple[Line, ...]:
    """Of the first run: of the pool and of what was stored with its choice alone, so that no answer
    changes them. None where a cluster is likelier than can be counted."""
    sources = question.pool.sources
    batch = planned(question.facts, len(sources))
    return tuple(tuple(sources[i] for i in line) for line in batch)


def planned(facts: Mapping[str, Any], members: int) -> Places:
    """The first lines as they were stored with the choice, so that neither another processor nor
    another version plans an open pool anew; thought where they were not."""
    stored = facts.get(FIRST_LINES)
    if stored is not None:
        return tuple(tuple(line) for line in stored)
    return first_batch(prior_of(facts, members), members, limits_of(facts, members, runs=2))


@lru_cache(maxsize=1024)
def first_batch(prior: Prior, members: int, limits: Limits) -> Places:
    """The same as places; thought once for pools that are alike."""
    pool = Measurement(Role.MASTER, tuple(range(members)), detected=True)
    seen = posterior(prior.states(members), [pool])
    if seen.too_much_left_out:
        return ()
    return tuple(test.members for test in next_tests(seen, limits))


def _doubted(question: Question, seen: Posterior) -> frozenset[UUID]:
    """Who was in a negative sub-pool, and whom the evidence as a whole does not clear."""
    if question.facts.get("rule") not in DOUBTING:
        return frozenset()
    negative = held_negative(seen)
    return frozenset(
        source
        for place, (source, stands) in enumerate(
            zip(question.pool.sources, classify(seen), strict=True)
        )
        if place in negative and stands in _OPEN and source not in question.known
    )


def _with(question: Question, doubted: frozenset[UUID]) -> Question:
    asked = doubted.union(question.open_sources)
    return replace(question, open_sources=tuple(s for s in question.pool.sources if s in asked))


def _after(question: Question, alone: list[UUID], seen: Posterior) -> Next:
    sources = question.pool.sources
    waiting = _unanswered(question)
    alone = [*alone, *_failed(question)]
    covered = {s for sub in waiting for s in sub.sources}.union(alone)
    tubes, checks = list(alone), list(waiting)
    lost = seen.contradicted or _too_many(question, seen)
    for test in () if lost else _batch(question):
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
    if lost or not (checks or any(not question.spent(s) for s in asked)):
        # what is still open no sub-pool settles, nor somebody's own test that cannot be made
        asked = tuple(s for s in question.open_sources if question.testable(s))
    return Next(tubes=asked, sub_pools=tuple(checks), named=_named(question, seen))


def _too_many(question: Question, seen: Posterior) -> bool:
    """They may be: then a posterior of few names the wrong ones."""
    mended = question.facts.get("rule") == RULE
    return seen.too_much_left_out if mended else seen.too_much_omitted


def _told(question: Question) -> frozenset[Measurement]:
    return measured(
        question.pool,
        question.composition,
        question.known,
        facts=question.facts,
        closed=question.coverage.closed,
    )


def _seen(question: Question) -> Posterior:
    members = len(question.pool.sources)
    return posterior_of(prior_of(question.facts, members), members, _told(question))


def _batch(question: Question) -> tuple[Wanted, ...]:
    members = len(question.pool.sources)
    limits = limits_of(question.facts, members, runs=1)
    return batch_of(prior_of(question.facts, members), members, _told(question), limits)


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
        if tube.id in question.known and question.call(tube).outcome not in SAID
        for source in tube.sources
    }
    return [source for source in question.open_sources if source in failed]


def _named(question: Question, seen: Posterior) -> dict[UUID, tuple[UUID, ...]]:
    """Whom the evidence points at, each with the detected tubes that held her.

    A name rests on two of them at least: one that was taken back, or never was detected, names
    nobody, and neither does a pool alone whose other members are negative.
    """
    detected = [
        tube
        for tube in (question.pool, *question.composition.sub_pools(question.pool.id))
        if question.call(tube).outcome is Outcome.DETECTED
    ]
    named: dict[UUID, tuple[UUID, ...]] = {}
    for source, stands in zip(question.pool.sources, classify(seen), strict=True):
        if stands is Stands.PRESUMPTIVE and source in question.open_sources:
            named[source] = tuple(tube.id for tube in detected if source in tube.sources)
    return {source: tubes for source, tubes in named.items() if len(tubes) >= FEWEST_NAMING}
