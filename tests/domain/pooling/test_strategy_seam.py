"""What a strategy is given, and what becomes of its answer: a seam for one that reasons itself."""

from dataclasses import dataclass, field
from uuid import UUID

from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.conclude import Policy, conclude
from lims.domain.pooling.evidence import Composition
from lims.domain.pooling.strategy import Next, Question, SubPool
from tests.domain.pooling.rack import Rack


@dataclass
class Told:
    """Answers as it was told to, and keeps what it was asked."""

    answer: Next
    asked: list[Question] = field(default_factory=list)
    name: str = "told/1"

    def next(self, question: Question) -> Next:
        self.asked.append(question)
        return self.answer


def _detected(rack: Rack) -> tuple[UUID, tuple[UUID, ...]]:
    tubes = rack.singles(8)
    pool = rack.pool(tubes)
    rack.measured(pool, Outcome.INVALID)
    rack.measured(pool, Outcome.DETECTED)
    return pool.id, tuple(tube.id for tube in tubes)


def test_it_is_given_the_stored_numbers_and_every_attempt_in_one_order() -> None:
    rack = Rack()
    pool, tubes = _detected(rack)
    told = Told(Next())

    for evidence in (rack.evidence, rack.evidence[::-1]):
        conclude(
            Composition(rack.tubes),
            evidence,
            policy=Policy({pool: told}, facts={pool: {"prevalence": 0.01}}),
        )

    first, second = told.asked
    assert first.facts == {"prevalence": 0.01}
    assert first.open_sources == tubes
    assert [e.outcome for e in first.evidence] == [Outcome.INVALID, Outcome.DETECTED]
    assert second.evidence == first.evidence


def test_whom_it_names_is_presumptive_by_what_it_says() -> None:
    rack = Rack()
    pool, tubes = _detected(rack)
    rack.chosen[pool] = Told(Next(tubes=tubes[2:3], named={tubes[2]: (pool,)}))

    conclusion = rack.conclude()

    (named,) = rack.tubes[tubes[2]].specimens
    assert [s for s, f in conclusion.findings.items() if f.outcome is Found.PRESUMPTIVE] == [named]
    assert [order.tube_id for order in conclusion.wanted] == [tubes[2]]
    rack.measured(rack.tubes[tubes[2]], Outcome.NOT_DETECTED)
    assert rack.outcomes()[named] is Found.NEGATIVE  # her own test outranks what was reasoned


def test_tests_are_wanted_in_its_order_and_never_of_whom_nothing_is_asked() -> None:
    rack = Rack()
    pool, tubes = _detected(rack)
    rack.measured(rack.tubes[tubes[0]], Outcome.NOT_DETECTED)
    asked = SubPool(2, "b1", tubes[3:6])
    rack.chosen[pool] = Told(Next(tubes=(tubes[7], tubes[0], tubes[1]), sub_pools=(asked,)))

    conclusion = rack.conclude()

    assert [order.tube_id for order in conclusion.wanted] == [tubes[7], tubes[1]]
    (wanted,) = conclusion.sub_pools
    assert (wanted.stage, wanted.position, wanted.sources) == (2, "b1", tubes[3:6])
    made = rack.sub_pool(rack.tubes[pool], tubes[3:6])
    assert rack.conclude().sub_pools[0].tube_id == made.id
