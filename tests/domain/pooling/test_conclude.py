"""The rules of resolution, one case each (S1-S8); the laws they obey are in test_laws."""

from lims.domain.lifecycle import OrderReason, OrderState
from lims.domain.outcomes import FindingOutcome as Found
from lims.domain.outcomes import Outcome
from lims.domain.pooling.evidence import AlertKind
from tests.domain.pooling.rack import Rack, people

DETECTED, NEGATIVE = Outcome.DETECTED, Outcome.NOT_DETECTED
INVALID, WEAK = Outcome.INVALID, Outcome.INCONCLUSIVE


def test_a_negative_pool_clears_its_members_and_names_its_result() -> None:
    rack = Rack()
    pool = rack.pool(rack.singles(10))
    said = rack.measured(pool, NEGATIVE)

    conclusion = rack.conclude()

    assert {d.outcome for d in conclusion.findings.values()} == {Found.NEGATIVE}
    assert {d.evidence for d in conclusion.findings.values()} == {(said.result_id,)}
    assert (conclusion.wanted, conclusion.alerts, conclusion.recollections) == ((), (), {})


def test_a_positive_pool_makes_members_preliminary_and_queues_each_at_top_priority() -> None:
    rack = Rack()
    members = rack.singles(10)
    pool = rack.pool(members)
    rack.measured(pool, DETECTED)

    assert rack.found(*members) == {Found.PRELIMINARY}
    assert rack.wanted().keys() == {m.id for m in members}
    assert {(o.why, o.priority) for o in rack.wanted().values()} == {(OrderReason.RESOLVE, 9)}
    assert [a.kind for a in rack.conclude().alerts] == [AlertKind.POOL_POSITIVE]


def test_a_member_is_named_by_its_own_test_and_the_others_are_cleared_by_theirs() -> None:
    rack = Rack()
    members = rack.singles(10)
    pool = rack.pool(members)
    rack.measured(pool, DETECTED)
    for nth, member in enumerate(members):
        rack.measured(member, DETECTED if nth == 3 else NEGATIVE, why=OrderReason.RESOLVE)

    assert rack.found(members[3]) == {Found.POSITIVE}
    assert rack.found(*members[:3], *members[4:]) == {Found.NEGATIVE}
    assert rack.wanted() == {}


def test_a_positive_pool_of_negatives_is_discordant_until_a_reviewer_closes_it() -> None:
    rack = Rack()
    members = rack.singles(5)
    pool = rack.pool(members)
    rack.measured(pool, DETECTED)
    for nth, member in enumerate(members):
        rack.measured(member, NEGATIVE, why=OrderReason.RESOLVE, amplified=nth == 2)

    assert rack.found(*members) == {Found.DISCORDANT}
    assert rack.wanted().keys() == {pool.id, members[2].id}  # the pool and its only suspect
    assert {o.why for o in rack.wanted().values()} == {OrderReason.DISCORDANT}
    assert AlertKind.DISCORDANT in {a.kind for a in rack.conclude().alerts}

    rack.measured(pool, NEGATIVE, why=OrderReason.DISCORDANT)
    rack.measured(members[2], NEGATIVE, why=OrderReason.DISCORDANT, amplified=True)
    assert rack.found(*members) == {Found.DISCORDANT}  # a machine never decides this
    assert rack.wanted() == {}

    rack.close(pool)
    assert rack.found(*members) == {Found.NEGATIVE}
    assert rack.wanted() == {}


def test_a_suspect_found_positive_on_repeat_ends_the_discordance() -> None:
    rack = Rack()
    members = rack.singles(5)
    pool = rack.pool(members)
    rack.measured(pool, DETECTED)
    for member in members:
        rack.measured(member, NEGATIVE, why=OrderReason.RESOLVE, amplified=member is members[0])
    rack.ordered(pool, OrderState.QUEUED, OrderReason.DISCORDANT)
    rack.measured(members[0], DETECTED, why=OrderReason.DISCORDANT)

    assert rack.found(members[0]) == {Found.POSITIVE}
    assert rack.found(*members[1:]) == {Found.NEGATIVE}
    assert rack.conclude().unwanted == (rack.orders[-2].id,)  # the pool's repeat tells nothing now


def test_an_invalid_pool_is_repeated_once_and_then_resolved_by_members() -> None:
    rack = Rack()
    members = rack.singles(4)
    pool = rack.pool(members)
    rack.measured(pool, INVALID)

    assert rack.outcomes() == {}
    assert [(t, o.why) for t, o in rack.wanted().items()] == [(pool.id, OrderReason.REPEAT)]

    rack.measured(pool, INVALID, why=OrderReason.REPEAT)
    assert rack.wanted().keys() == {m.id for m in members}
    assert rack.outcomes() == {}


def test_a_tube_invalid_twice_is_swabbed_again() -> None:
    rack = Rack()
    alone = rack.single()
    rack.measured(alone, INVALID)
    assert rack.wanted().keys() == {alone.id}

    rack.measured(alone, INVALID, why=OrderReason.REPEAT)
    assert rack.wanted() == {}
    assert rack.found(alone) == {Found.RECOLLECT}
    assert rack.conclude().recollections.keys() == alone.specimens


def test_a_rejected_member_is_still_cleared_by_a_negative_pool() -> None:
    rack = Rack()
    broken = rack.single(rejected=True)
    pool = rack.pool([*rack.singles(3), broken])
    assert rack.outcomes() == {}  # while the pool may still clear her, nobody calls her back

    rack.measured(pool, NEGATIVE)
    assert rack.found(broken) == {Found.NEGATIVE}
    assert rack.conclude().recollections == {}


def test_a_rejected_member_of_a_positive_pool_is_swabbed_again_not_queued() -> None:
    rack = Rack()
    broken = rack.single(rejected=True)
    others = rack.singles(3)
    rack.measured(rack.pool([*others, broken]), DETECTED)

    assert rack.found(broken) == {Found.RECOLLECT}
    assert rack.conclude().recollections.keys() == broken.specimens
    assert rack.wanted().keys() == {t.id for t in others}


def test_all_the_rest_negative_is_not_discordant_while_one_member_is_lost() -> None:
    rack = Rack()
    broken = rack.single(rejected=True)
    others = rack.singles(3)
    rack.measured(rack.pool([*others, broken]), DETECTED)
    for tube in others:
        rack.measured(tube, NEGATIVE, why=OrderReason.RESOLVE)

    assert rack.found(*others) == {Found.NEGATIVE}  # the lost one explains the pool
    assert rack.found(broken) == {Found.RECOLLECT}


def test_a_pool_broken_before_it_was_measured_is_resolved_by_members() -> None:
    rack = Rack()
    members = rack.singles(3)
    pool = rack.pool(members, rejected=True)
    queued = rack.ordered(pool, OrderState.QUEUED)

    assert rack.wanted().keys() == {m.id for m in members}
    assert rack.conclude().unwanted == (queued.id,)


def test_a_positive_field_pool_calls_its_family_back() -> None:
    rack = Rack()
    family = rack.field_pool(5)
    rack.measured(family, DETECTED)

    assert rack.found(family) == {Found.PRELIMINARY}
    assert rack.conclude().recollections == dict.fromkeys(family.specimens, "field pool detected")
    assert rack.wanted() == {}


def test_a_pool_of_pools_is_resolved_one_level_at_a_time() -> None:
    rack = Rack()
    first, second = rack.singles(3), rack.singles(3)
    family = rack.field_pool(4)
    low, high = rack.pool(first), rack.pool(second)
    whole = rack.pool([low, high, family])
    rack.measured(whole, DETECTED)
    assert rack.wanted().keys() == {low.id, high.id, family.id}
    assert rack.found(*first, *second, family) == {Found.PRELIMINARY}

    rack.measured(low, NEGATIVE, why=OrderReason.RESOLVE)
    rack.measured(family, NEGATIVE, why=OrderReason.RESOLVE)
    rack.measured(high, DETECTED, why=OrderReason.RESOLVE)
    assert rack.found(*first, family) == {Found.NEGATIVE}
    assert rack.wanted().keys() == {t.id for t in second}

    for tube in second:
        rack.measured(tube, DETECTED if tube is second[0] else NEGATIVE, why=OrderReason.RESOLVE)
    assert rack.found(second[0]) == {Found.POSITIVE}
    assert rack.found(*second[1:]) == {Found.NEGATIVE}
    assert rack.wanted() == {}


def test_a_positive_pool_of_negative_pools_clears_nobody() -> None:
    rack = Rack()
    low, high = rack.pool(rack.singles(3)), rack.pool(rack.singles(3))
    whole = rack.pool([low, high])
    rack.measured(whole, DETECTED)
    rack.measured(low, NEGATIVE, why=OrderReason.RESOLVE)
    rack.measured(high, NEGATIVE, why=OrderReason.RESOLVE)

    assert rack.found(low, high) == {Found.DISCORDANT}
    assert rack.wanted().keys() == {whole.id}


def test_the_innermost_disagreement_explains_the_outer_one() -> None:
    rack = Rack()
    first, second = rack.singles(3), rack.singles(3)
    low, high = rack.pool(first), rack.pool(second)
    rack.measured(rack.pool([low, high]), DETECTED)
    rack.measured(low, NEGATIVE, why=OrderReason.RESOLVE)
    rack.measured(high, DETECTED, why=OrderReason.RESOLVE)
    for tube in second:
        rack.measured(tube, NEGATIVE, why=OrderReason.RESOLVE)

    assert rack.found(*first) == {Found.NEGATIVE}
    assert rack.found(*second) == {Found.DISCORDANT}
    assert rack.wanted().keys() == {high.id}

    rack.close(high)
    assert rack.found(*first, *second) == {Found.NEGATIVE}


def test_rows_and_columns_of_a_grid_name_the_single_positive() -> None:
    rack = Rack()
    grid = [rack.singles(4) for _ in range(5)]
    rows = [rack.pool(row) for row in grid]
    columns = [rack.pool([row[nth] for row in grid]) for nth in range(4)]
    rack.measured(rack.pool([tube for row in grid for tube in row]), DETECTED)
    for nth, row in enumerate(rows):
        rack.measured(row, DETECTED if nth == 2 else NEGATIVE)
    for nth, column in enumerate(columns):
        rack.measured(column, DETECTED if nth == 1 else NEGATIVE)

    suspect = grid[2][1]
    everybody = people(tube for row in grid for tube in row)
    assert rack.found(suspect) == {Found.PRELIMINARY}
    assert {rack.outcomes()[s] for s in everybody - suspect.specimens} == {Found.NEGATIVE}
    assert rack.wanted().keys() == {suspect.id}


def test_a_pool_corrected_to_negative_leaves_the_positive_member_and_is_discordant() -> None:
    rack = Rack()
    members = rack.singles(4)
    pool = rack.pool(members)
    rack.measured(members[0], DETECTED, why=OrderReason.RESOLVE)
    rack.measured(pool, NEGATIVE)

    assert rack.found(members[0]) == {Found.POSITIVE}
    assert rack.found(*members[1:]) == {Found.NEGATIVE}
    assert [(a.kind, a.tube_id) for a in rack.conclude().alerts] == [
        (AlertKind.DISCORDANT, pool.id)
    ]


def test_members_queued_for_a_pool_that_is_negative_after_all_are_taken_off_the_queue() -> None:
    rack = Rack()
    members = rack.singles(3)
    pool = rack.pool(members)
    queued = [rack.ordered(m, OrderState.QUEUED, OrderReason.RESOLVE) for m in members]
    rack.measured(pool, NEGATIVE)

    assert set(rack.conclude().unwanted) == {order.id for order in queued}
    assert rack.wanted() == {}


def test_a_test_whose_run_was_void_is_run_again_with_the_reason() -> None:
    rack = Rack()
    pool = rack.pool(rack.singles(3))
    rack.ordered(pool, OrderState.VOID)

    again = rack.wanted()[pool.id]
    assert (again.why, again.round) == (OrderReason.RERUN, 2)
    assert again.because == "run again: NTC amplified"


def test_a_void_member_test_is_not_run_again_when_its_pool_turned_out_negative() -> None:
    rack = Rack()
    members = rack.singles(3)
    pool = rack.pool(members)
    rack.ordered(members[0], OrderState.VOID, OrderReason.RESOLVE)
    rack.measured(pool, NEGATIVE)

    assert rack.wanted() == {}


def test_an_inconclusive_tube_is_repeated_once_and_then_swabbed_again() -> None:
    rack = Rack()
    alone = rack.single()
    rack.measured(alone, WEAK)
    assert rack.found(alone) == {Found.INCONCLUSIVE}
    assert rack.wanted()[alone.id].why is OrderReason.REPEAT
    assert rack.conclude().recollections == {}

    rack.measured(alone, WEAK, why=OrderReason.REPEAT)
    assert rack.wanted() == {}
    assert rack.conclude().recollections.keys() == alone.specimens


def test_a_person_once_detected_and_then_not_is_for_a_reviewer() -> None:
    rack = Rack()
    alone = rack.single()
    first = rack.measured(alone, DETECTED)
    second = rack.measured(alone, NEGATIVE, why=OrderReason.REPEAT)
    finding = rack.conclude().findings[next(iter(alone.specimens))]
    assert finding.outcome is Found.DISCORDANT
    assert set(finding.evidence) == {first.result_id, second.result_id}

    rack.close(alone)
    assert rack.found(alone) == {Found.NEGATIVE}


def test_a_pool_once_detected_and_then_not_still_has_its_members_tested() -> None:
    rack = Rack()
    members = rack.singles(3)
    pool = rack.pool(members)
    rack.measured(pool, DETECTED)
    rack.measured(pool, NEGATIVE, why=OrderReason.REPEAT)

    assert rack.found(*members) == {Found.PRELIMINARY}
    assert rack.wanted().keys() == {m.id for m in members}
