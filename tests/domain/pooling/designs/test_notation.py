"""A design is read as it is written, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.domain.pooling.designs.configuration import (
    Algorithm,
    Cohort,
    Group,
    Hierarchical,
    SquareArray,
)
from lims.domain.pooling.designs.notation import read, written
from lims.domain.refusals import NotADesign, Refusal

D2, D3, D4, A2, A2M = (Algorithm(name) for name in ("D2", "D3", "D4", "A2", "A2M"))
THREES = Group.of([Group(3)] * 3)


@pytest.mark.parametrize(
    ("algorithm", "text", "design"),
    [
        (D2, "11", Hierarchical(Group(11))),
        (D2, "11:1", Hierarchical(Group(11))),
        (D3, "25: 5×5", Hierarchical(Group.of([Group(5)] * 5))),
        (D3, "25:5x5", Hierarchical(Group.of([Group(5)] * 5))),
        (D3, "5*5", Hierarchical(Group.of([Group(5)] * 5))),
        (D3, "25:5:1", Hierarchical(Group.of([Group(5)] * 5))),
        (D3, "24: 6×4", Hierarchical(Group.of([Group(6)] * 4))),
        (D3, "9: 4,4,1", Hierarchical(Group.of([Group(4), Group(4), Group(1)]))),
        (D4, "18: 9(3×3)×2", Hierarchical(Group.of([THREES, THREES]))),
        (D4, "18:9:3:1", Hierarchical(Group.of([THREES, THREES]))),
        (D4, "14: 9(3,3,3),5", Hierarchical(Group.of([THREES, Group(5)]))),
        (A2, "25×25", SquareArray(25)),
        (A2, "25²", SquareArray(25)),
        (A2, "25", SquareArray(25)),
        (A2, "25:1", SquareArray(25)),
        (A2, "625: 25x25", SquareArray(25)),
        (A2M, "36:6:1", SquareArray(6, master=True)),
        (D2, "2 of 8; 1", Cohort((*[Hierarchical(Group(8))] * 2, Hierarchical(Group(1))))),
        (A2, "3×3; 2 of 1", Cohort((SquareArray(3), *[Hierarchical(Group(1))] * 2))),
    ],
)
def test_a_design_is_read(algorithm: Algorithm, text: str, design: object) -> None:
    assert read(text, algorithm) == design


@pytest.mark.parametrize(
    ("algorithm", "text"),
    [
        *(
            (D3, text)
            for text in ("", ";", "x", "25:", "25: 5×4", "5,", "(5)", "5(5)", "5: 5", "0")
        ),
        *((D3, text) for text in ("9: 9(3×3)", "25:4:1", "5:5:1", "-5", "5.5", "5 5", "１１")),
        *((D3, text) for text in ("9999×9999", "9999 of 9999", "0 of 5", "3×0", "5(" * 300)),
        (D2, "25: 5×5"),
        (D3, "18: 9(3×3)×2"),
        *((A2, text) for text in ("1×1", "5×6", "30: 5×5", "0", "5,5", "25:5×5×5")),
    ],
)
def test_what_is_no_such_design_is_refused(algorithm: Algorithm, text: str) -> None:
    with pytest.raises(NotADesign):
        read(text, algorithm)


GROUPS = st.recursive(
    st.integers(1, 9).map(Group),
    lambda inner: st.lists(inner, min_size=2, max_size=4).map(Group.of),
    max_leaves=8,
).filter(lambda group: group.stages <= 4)


@given(st.lists(GROUPS, min_size=1, max_size=4))
def test_what_is_written_is_read_as_the_same(groups: list[Group]) -> None:
    designs = tuple(Hierarchical(group) for group in groups)
    design = designs[0] if len(designs) == 1 else Cohort(designs)
    assert read(written(design), D4) == design


@given(st.text("0123456789×x()²:;,of *1", max_size=30), st.sampled_from([D2, D3, D4, A2, A2M]))
def test_no_text_does_worse_than_a_refusal(text: str, algorithm: Algorithm) -> None:
    try:
        assert read(text, algorithm).people >= 1
    except Refusal as refusal:
        assert isinstance(refusal, NotADesign)
