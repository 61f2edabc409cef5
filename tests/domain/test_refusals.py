"""Every refusal says what was expected, what came, where, and what to do next."""

import re

import pytest

from lims.domain import refusals
from lims.domain.refusals import IllegalMove, InvalidBody, Refusal, TooManyAttempts, every_refusal


def test_every_slug_is_stable_looking_and_used_once() -> None:
    slugs = [leaf.slug for leaf in every_refusal()]
    assert len(slugs) == len(set(slugs))
    assert all(re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", slug) for slug in slugs)
    assert "refused" not in slugs


def test_every_leaf_can_explain_itself_without_an_instance() -> None:
    assert all(leaf.expected and leaf.todo for leaf in every_refusal())


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = dict(
        re.findall(r"[├└]── (\w+) {2,}([a-z0-9-]+)(?: {2,}\+.*)?\n", refusals.__doc__ or "")
    )
    assert drawn == {leaf.__name__: leaf.slug for leaf in every_refusal() if _ours(leaf)}


def test_a_refusal_reads_as_one_sentence() -> None:
    refusal = refusals.WellTaken(where="plate P-0001", came="A01, which holds another tube")
    assert str(refusal) == (
        "Expected an empty well in plate P-0001, came A01, which holds another tube;"
        " choose an empty well, or clear this one first."
    )


def test_a_rule_that_knows_better_overrides_the_usual_advice() -> None:
    refusal = refusals.PoolFull(
        expected="at most 10 tubes", came="the 11th", todo="close it", size=10
    )
    assert (refusal.expected, refusal.todo, refusal.facts) == (
        "at most 10 tubes",
        "close it",
        {"size": 10},
    )
    assert refusals.PoolFull.expected != refusal.expected


def test_an_illegal_move_names_where_from_where_to_and_what_is_allowed() -> None:
    refusal = IllegalMove(source="registered", target="measured", allowed=["received"])
    assert refusal.facts == {"from": "registered", "to": "measured", "allowed": ["received"]}
    assert "registered → measured" in str(refusal)
    final = IllegalMove(source="discarded", target="pooled", allowed=[])
    assert "this state is final" in str(final)


def test_facts_reach_the_problem_document() -> None:
    assert InvalidBody(errors=[{"field": "sex"}]).facts == {"errors": [{"field": "sex"}]}
    assert TooManyAttempts(retry_after_s=30).facts == {"retry_after_s": 30}


def test_a_refusal_is_caught_by_its_branch() -> None:
    with pytest.raises(refusals.Unknown):
        raise refusals.UnknownBarcode(came="TT7K-0983-N6J")
    assert isinstance(refusals.BarcodeTaken(), refusals.Conflict)


def _ours(leaf: type[Refusal]) -> bool:
    return leaf.__module__.startswith(refusals.__name__)
