"""Laws that hold for any rack and any evidence, and what a rack comes to in the end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lims.domain.lifecycle import OrderReason, OrderState, TubeKind
from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.conclude import conclude
from lims.domain.pooling.evidence import Composition, TubeFacts
from tests.domain.pooling.rack import Rack, Test

EXAMPLES = settings(max_examples=80, deadline=None)  # a shared core is slow now and then
INVALID = Outcome.INVALID


@st.composite
def racks(draw: st.DrawFn) -> Rack:
    """Tubes alone, a pool, or a pool of pools with field pools in it; some broken."""
    rack = Rack()
    groups = draw(st.lists(st.sampled_from(["single", "pool", "family"]), min_size=1, max_size=4))
    tops: list[TubeFacts] = []
    for group in groups:
        if group == "family":
            tops.append(rack.field_pool(draw(st.integers(2, 4))))
            continue
        count = 1 if group == "single" else draw(st.integers(2, 5))
        made = [rack.single(rejected=draw(st.integers(0, 7)) == 0) for _ in range(count)]
        tops.append(made[0] if group == "single" else rack.pool(made))
    if len(tops) > 1 and draw(st.booleans()):
        rack.pool(tops)
    return rack


@st.composite
def measured_racks(draw: st.DrawFn) -> Rack:
    """Up to three attempts at every tube, in any combination of answers."""
    rack = draw(racks())
    for tube in list(rack.tubes.values()):
        for outcome in draw(st.lists(st.sampled_from(Outcome), max_size=3)):
            rack.measured(tube, outcome, amplified=draw(st.booleans()))
        if draw(st.integers(0, 3)) == 0:
            rack.ordered(
                tube, draw(st.sampled_from(OrderState)), draw(st.sampled_from(OrderReason))
            )
    for tube in rack.tubes.values():
        if draw(st.integers(0, 9)) == 0:
            rack.close(tube)
    return rack


@EXAMPLES
@given(measured_racks(), st.randoms(use_true_random=False))
def test_order_of_arrival_and_repetition_change_nothing(rack: Rack, random: object) -> None:
    assert hasattr(random, "shuffle")
    evidence = [*rack.evidence, *rack.evidence[::2]]
    orders, tubes = list(rack.orders), list(rack.tubes.items())
    for things in (evidence, orders, tubes):
        random.shuffle(things)

    shuffled = conclude(Composition(dict(tubes)), evidence, orders, rack.decisions[::-1])

    assert shuffled == rack.conclude()


@EXAMPLES
@given(measured_racks())
def test_an_invalid_well_is_no_evidence_of_anybody(rack: Rack) -> None:
    invalid = {e.result_id for e in rack.evidence if e.outcome is INVALID}
    for draft in rack.conclude().findings.values():
        assert draft.outcome is Found.RECOLLECT or not invalid.intersection(draft.evidence)

    answered = {e.tube_id for e in rack.evidence if e.outcome is not INVALID}
    before = rack.conclude()
    for tube in answered:
        rack.measured(rack.tubes[tube], INVALID, why=OrderReason.REPEAT)
    assert rack.conclude().findings == before.findings


@EXAMPLES
@given(measured_racks())
def test_a_person_once_detected_alone_is_never_cleared_by_the_machine(rack: Rack) -> None:
    closed = {d.tube_id for d in rack.decisions}
    outcomes = rack.outcomes()
    for said in rack.evidence:
        tube = rack.tubes[said.tube_id]
        if said.outcome is not Outcome.DETECTED or tube.kind is not TubeKind.INDIVIDUAL:
            continue
        if tube.id not in closed:
            (specimen,) = tube.specimens
            assert outcomes[specimen] in {Found.POSITIVE, Found.DISCORDANT}


@EXAMPLES
@given(measured_racks())
def test_a_detected_tube_never_leaves_all_its_people_negative(rack: Rack) -> None:
    closed = {d.tube_id for d in rack.decisions}
    outcomes = rack.outcomes()
    detected = {e.tube_id for e in rack.evidence if e.outcome is Outcome.DETECTED}
    for tube in (rack.tubes[t] for t in detected):
        inner = {t.id for t in rack.tubes.values() if t.specimens <= tube.specimens}
        if not closed & inner:
            assert {outcomes[s] for s in tube.specimens} != {Found.NEGATIVE}


@EXAMPLES
@given(measured_racks())
def test_one_negative_clears_whoever_nothing_speaks_against(rack: Rack) -> None:
    doubted = {e.tube_id for e in rack.evidence if e.outcome not in {INVALID, Outcome.NOT_DETECTED}}
    answered = {e.tube_id for e in rack.evidence if e.outcome is Outcome.NOT_DETECTED} - doubted
    outcomes = rack.outcomes()
    for tube in (rack.tubes[t] for t in answered):
        if doubted & {t.id for t in rack.tubes.values() if t.specimens <= tube.specimens}:
            continue
        assert {outcomes[s] for s in tube.specimens} <= {Found.NEGATIVE, Found.DISCORDANT}


@EXAMPLES
@given(measured_racks())
def test_once_the_queue_is_as_wanted_nothing_more_is_wanted(rack: Rack) -> None:
    rack.queue()

    conclusion = rack.conclude()

    assert (conclusion.wanted, conclusion.unwanted) == ((), ())


@EXAMPLES
@given(racks(), st.data())
def test_perfect_tests_name_exactly_the_infected(rack: Rack, data: st.DataObject) -> None:
    everybody = sorted({s for tube in rack.tubes.values() for s in tube.specimens})
    infected = data.draw(st.sets(st.sampled_from(everybody)))

    def perfect(tube: TubeFacts, _round: int) -> Outcome:
        return Outcome.DETECTED if tube.specimens & infected else Outcome.NOT_DETECTED

    _to_the_end(rack, perfect)

    outcomes, recollected = rack.outcomes(), rack.conclude().recollections
    for specimen in everybody:
        if specimen not in recollected:  # a family tube, or one that broke
            expected = Found.POSITIVE if specimen in infected else Found.NEGATIVE
            assert outcomes[specimen] is expected
    assert not {s for s in infected if outcomes[s] is Found.NEGATIVE}


@EXAMPLES
@given(racks(), st.lists(st.sampled_from(Outcome), min_size=1, max_size=12))
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
    """Measure the outermost tubes, then whatever is wanted, until nothing is."""
    sources = {s for tube in rack.tubes.values() for s in tube.sources}
    for tube in list(rack.tubes.values()):
        if tube.id not in sources and not tube.rejected:
            rack.ordered(tube, OrderState.QUEUED)
    for _ in range(12):
        rack.work_off(test)
        rack.queue()
        if not rack.queued():
            return
    raise AssertionError("the laboratory measures for ever")
