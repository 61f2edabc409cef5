"""Laws that hold for any pool parted in any way, whatever the wells say and in whatever order."""

from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.lifecycle import OrderReason, OrderState
from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.adaptive import DOUBTING, Adaptive
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.posterior import posterior
from lims.domain.pooling.bayes.remaining_work import CLEARED_BELOW
from lims.domain.pooling.bench_limits import BenchLimits
from lims.domain.pooling.calls import calls
from lims.domain.pooling.conclude import conclude
from lims.domain.pooling.dorfman import Dorfman
from lims.domain.pooling.evidence import Composition, TubeFacts
from lims.domain.pooling.grid import Grid
from lims.domain.pooling.hierarchical import Hierarchical
from lims.domain.pooling.prior import prior_of
from lims.domain.pooling.strategy import Strategy
from tests.domain.pooling.rack import Rack, Test

EXAMPLES = settings(max_examples=80, deadline=None)
WAYS: tuple[Strategy, ...] = (Grid(), Hierarchical(), Dorfman(), Adaptive())
STRATEGIES = st.sampled_from(WAYS)
RULES = st.sampled_from(sorted(DOUBTING))


@st.composite
def facts(draw: st.DrawFn, tubes: int) -> dict[str, Any]:
    """What may be stored with the choice: nothing, as before it was; households; a small bench."""
    told: dict[str, Any] = {}
    if draw(st.booleans()):
        homes = draw(st.lists(st.integers(0, 5), min_size=tubes, max_size=tubes))
        told |= {
            "rule": draw(RULES),
            "prevalence": draw(st.sampled_from([0.001, 0.01, 0.1])),
            "households": homes,
            "secondary_attack_rate": draw(st.sampled_from([0.0, 0.25, 0.6])),
        }
    if draw(st.booleans()):
        bench = BenchLimits(
            draw(st.integers(1, 12)), draw(st.integers(2, 12)), draw(st.integers(2, 60))
        )
        told |= bench.facts()
    return told


@st.composite
def parted(draw: st.DrawFn) -> Rack:
    """A detected pool with one broken tube now and then, parted by one of the strategies."""
    rack = Rack()
    tubes = [
        rack.single(rejected=draw(st.integers(0, 15)) == 0) for _ in range(draw(st.integers(6, 21)))
    ]
    pool = rack.pool(tubes)
    rack.chosen[pool.id] = draw(STRATEGIES)
    rack.facts[pool.id] = draw(facts(len(tubes)))
    rack.measured(pool, Outcome.DETECTED)
    return rack


@st.composite
def measured(draw: st.DrawFn) -> Rack:
    """Sub-pools of one strategy, perhaps resolved by another since; any tube with any answers."""
    rack = draw(parted())
    rack.prepare()
    for pool in rack.chosen:
        rack.chosen[pool] = draw(STRATEGIES)
    for tube in list(rack.tubes.values()):
        for outcome in draw(st.lists(st.sampled_from(Outcome), max_size=2)):
            rack.measured(tube, outcome, why=OrderReason.RESOLVE, amplified=draw(st.booleans()))
        if draw(st.integers(0, 15)) == 0:
            rack.close(tube)
    return rack


@EXAMPLES
@given(measured(), st.randoms(use_true_random=False))
def test_order_of_arrival_and_repetition_change_nothing(rack: Rack, random: object) -> None:
    assert hasattr(random, "shuffle")
    evidence = [*rack.evidence, *rack.evidence[::2]]
    orders, tubes = list(rack.orders), list(rack.tubes.items())
    for things in (evidence, orders, tubes):
        random.shuffle(things)

    shuffled = conclude(
        Composition(dict(tubes)), evidence, orders, rack.decisions[::-1], rack.policy()
    )

    assert shuffled == rack.conclude()


@EXAMPLES
@given(measured())
def test_a_detected_tube_never_leaves_all_its_people_negative(rack: Rack) -> None:
    closed = {d.tube_id for d in rack.decisions}
    outcomes = rack.outcomes()
    detected = {e.tube_id for e in rack.evidence if e.outcome is Outcome.DETECTED}
    for tube in (rack.tubes[t] for t in detected):
        inner = {t.id for t in rack.tubes.values() if t.specimens <= tube.specimens}
        if not closed & inner:
            assert {outcomes[s] for s in tube.specimens} != {Found.NEGATIVE}


@EXAMPLES
@given(measured())
def test_once_the_queue_is_as_wanted_nothing_more_is_wanted(rack: Rack) -> None:
    rack.queue()

    conclusion = rack.conclude()

    assert (conclusion.wanted, conclusion.unwanted) == ((), ())


@EXAMPLES
@given(measured())
def test_whoever_is_named_is_never_cleared_and_waits_for_her_own_test(rack: Rack) -> None:
    conclusion = rack.conclude()
    named = {s for s, f in conclusion.findings.items() if f.outcome is Found.PRESUMPTIVE}
    for specimen in named:
        saying = conclusion.findings[specimen].evidence
        by = {e.tube_id for e in rack.evidence if e.result_id in saying}
        assert len(by) > 1
        assert all(specimen in rack.tubes[t].specimens for t in by)


@st.composite
def pointed_at(draw: st.DrawFn) -> Rack:
    """Parted by probability; the sub-pools answer as a few infected make them, but for an error."""
    rack = Rack()
    tubes = rack.singles(draw(st.integers(8, 21)))
    pool = rack.pool(tubes)
    rack.chosen[pool.id] = Adaptive()
    rack.facts[pool.id] = {"rule": draw(RULES), **draw(facts(len(tubes)))}
    rack.measured(pool, Outcome.DETECTED)
    infected = draw(st.sets(st.sampled_from(tubes), min_size=1, max_size=2))
    made = rack.prepare()
    wrong = draw(st.sampled_from([None, None, *made]))
    for tube in made:
        held = any(one.specimens <= tube.specimens for one in infected)
        detected = held ^ (tube is wrong)
        rack.measured(tube, Outcome.DETECTED if detected else Outcome.NOT_DETECTED)
    return rack


@EXAMPLES
@given(pointed_at())
def test_nobody_is_cleared_by_a_sub_pool_that_the_whole_of_the_evidence_speaks_against(
    rack: Rack,
) -> None:
    (master,) = rack.chosen
    said = {e.result_id: rack.tubes[e.tube_id] for e in rack.evidence}
    risks = seen_of(rack, rack.tubes[master])
    for specimen, found in rack.conclude().findings.items():
        by = {said[result].master for result in found.evidence}
        if found.outcome is Found.NEGATIVE and None not in by:
            assert risks[specimen] < CLEARED_BELOW


def seen_of(rack: Rack, pool: TubeFacts) -> dict[UUID, float]:
    """The risk of each specimen of a detected pool, by all that was measured in it."""
    place = {source: n for n, source in enumerate(pool.sources)}
    known = calls(rack.evidence)
    told = [Measurement(Role.MASTER, tuple(range(len(place))), detected=True)]
    for tube, call in known.items():
        if call.outcome not in {Outcome.DETECTED, Outcome.NOT_DETECTED} or tube == pool.id:
            continue
        members = [place[s] for s in rack.tubes[tube].sources or (tube,)]
        role = Role.ALONE if tube in place else Role.SUB_POOL
        nth = len(told)  # so that two tubes of the same members are two measurements
        told.append(Measurement(role, tuple(sorted(members)), call.ever_detected, nth))
    states = prior_of(rack.facts[pool.id], len(place)).states(len(place))
    risks = posterior(states, told).marginals
    return {s: float(risks[n]) for tube, n in place.items() for s in rack.tubes[tube].specimens}


@EXAMPLES
@given(parted(), st.data())
def test_perfect_tests_name_exactly_the_infected(rack: Rack, data: st.DataObject) -> None:
    everybody = sorted({s for tube in rack.tubes.values() for s in tube.specimens})
    infected = data.draw(st.sets(st.sampled_from(everybody), min_size=1))

    def perfect(tube: TubeFacts, _round: int) -> Outcome:
        return Outcome.DETECTED if tube.specimens & infected else Outcome.NOT_DETECTED

    _to_the_end(rack, perfect)

    outcomes, recollected = rack.outcomes(), rack.conclude().recollections
    broken = {s for t in rack.tubes.values() if t.rejected for s in t.specimens}
    if broken & infected:  # whom nobody can find may leave the others disputed, never clear her
        assert all(outcomes[s] is not Found.NEGATIVE for s in infected)
        return
    for specimen in everybody:
        if specimen not in recollected:
            expected = Found.POSITIVE if specimen in infected else Found.NEGATIVE
            assert outcomes[specimen] is expected


@EXAMPLES
@given(parted(), st.lists(st.sampled_from(Outcome), min_size=1, max_size=12))
def test_whatever_the_wells_say_everybody_comes_to_an_end(rack: Rack, says: list[Outcome]) -> None:
    def fickle(tube: TubeFacts, nth: int) -> Outcome:
        return says[(tube.id.int + nth) % len(says)]

    _to_the_end(rack, fickle)

    outcomes, recollected = rack.outcomes(), rack.conclude().recollections
    ends = {Found.NEGATIVE, Found.POSITIVE, Found.DISCORDANT}
    for tube in rack.tubes.values():
        for specimen in tube.specimens:
            assert outcomes[specimen] in ends or specimen in recollected


def _to_the_end(rack: Rack, test: Test) -> None:
    """Prepare and measure whatever is wanted until nothing is; a bench of one well a run takes a
    run for each tube, and one for each test that failed."""
    for _ in range(12 + 2 * len(rack.tubes)):
        rack.queue()
        made = rack.prepare()
        if not made and not rack.queued():
            assert not any(o.state is OrderState.QUEUED for o in rack.orders)
            return
        rack.work_off(test)
    raise AssertionError("the laboratory measures for ever")
