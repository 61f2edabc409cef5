"""A second implementation, by counting: every truth, every pattern of test errors, every rule read
as a technician reads it. It shares no code with the formulas and knows no algebra."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np
import numpy.typing as npt

Tree = int | list["Tree"]  # 3: three people pooled; [2, [1, 2]]: a pool of what it lists
Numbers = Sequence[float]
Bools = npt.NDArray[np.bool_]


@dataclass
class Counted:
    """Sums over everything that can happen, each weighed by how likely it is."""

    tests: float
    found: list[float]  # P(found and positive)
    blamed: list[float]  # P(found and negative)


def of_tree(tree: Tree, p: Numbers, se: Numbers, sp: Numbers) -> Counted:
    """Every pool has an answer in each pattern, also those that nobody would test."""
    pools = list(_pools(tree, 0, 0))
    counted = Counted(0.0, [0.0] * len(p), [0.0] * len(p))
    for truth, likely in _truths(p):
        for answers in product((False, True), repeat=len(pools)):
            weight = likely * prod(
                _says(answer, any(truth[i] for i in people), se, sp, stage)
                for answer, (people, stage) in zip(answers, pools, strict=True)
            )
            said = {people: answer for answer, (people, _) in zip(answers, pools, strict=True)}
            _read_tree(tree, truth, said, weight, counted, se, sp)
    return counted


def _read_tree(  # noqa: PLR0917 - one pass of a loop
    tree: Tree,
    truth: Sequence[bool],
    said: dict[tuple[int, ...], bool],
    weight: float,
    counted: Counted,
    se: Numbers,
    sp: Numbers,
) -> None:
    def test(part: Tree, first: int, stage: int) -> None:
        counted.tests += weight
        if part == 1:
            _alone(first, truth, weight, counted, (se[stage], sp[stage]))
            return
        if not said[tuple(range(first, first + _people(part)))]:
            return
        for inner in [1] * part if isinstance(part, int) else part:
            test(inner, first, stage + 1)
            first += _people(inner)

    test(tree, 0, 0)


def of_square(side: int, p: Numbers, se: Numbers, sp: Numbers, *, master: bool) -> Counted:
    """Rows, columns (and the master) in every pattern of answers; ``p`` row by row."""
    people = range(side * side)
    rows = [tuple(range(r * side, r * side + side)) for r in range(side)]
    columns = [tuple(range(c, side * side, side)) for c in range(side)]
    lines = 1 if master else 0
    counted = Counted(0.0, [0.0] * len(p), [0.0] * len(p))
    for truth, likely in _truths(p):
        for answers in product((False, True), repeat=2 * side):
            weight = likely * prod(
                _says(answer, any(truth[i] for i in line), se, sp, lines)
                for answer, line in zip(answers, rows + columns, strict=True)
            )
            if master:
                opened = _says(True, any(truth), se, sp, 0)
                counted.tests += weight
                weight *= opened
            counted.tests += weight * 2 * side
            row, column = answers[:side], answers[side:]
            for one in people:
                r, c = row[one // side], column[one % side]
                if (r and c) or (r and not any(column)) or (c and not any(row)):
                    counted.tests += weight
                    _alone(one, truth, weight, counted, (se[lines + 1], sp[lines + 1]))
    return counted


def simulated_tree(
    tree: list[Tree], p: float, se: Numbers, sp: Numbers, *, rounds: int, seed: int
) -> tuple[float, float, float]:
    """Tests a person, its standard error, and the share of positives found, of random rounds."""
    chance = np.random.default_rng(seed)
    tests, found, positives = [], 0, 0
    for _ in range(rounds):
        truth = chance.random(_people(tree)) < p
        used = 0
        todo: list[tuple[Tree, int, int]] = [(tree, 0, 0)]
        while todo:
            part, first, stage = todo.pop()
            people = _people(part)
            holds = bool(truth[first : first + people].any())
            used += 1
            positive = chance.random() < (se[stage] if holds else 1 - sp[stage])
            if positive and people == 1:
                found += holds
            elif positive:
                for inner in [1] * part if isinstance(part, int) else part:
                    todo.append((inner, first, stage + 1))
                    first += _people(inner)
        tests.append(used / len(truth))
        positives += int(truth.sum())
    return float(np.mean(tests)), float(np.std(tests) / rounds**0.5), found / positives


def simulated_square(
    side: int, p: float, se: Numbers, sp: Numbers, *, rounds: int, seed: int, master: bool
) -> tuple[float, float, float]:
    """The same of a square array."""
    chance = np.random.default_rng(seed)
    lines = 1 if master else 0
    truth = chance.random((rounds, side, side)) < p
    draw = chance.random

    def said(holds: Bools, stage: int) -> Bools:
        return np.asarray(draw(holds.shape) < np.where(holds, se[stage], 1 - sp[stage]))

    opened = said(np.asarray(truth.any(axis=(1, 2))), 0) if master else np.ones(rounds, dtype=bool)
    row = said(np.asarray(truth.any(axis=2)), lines)[:, :, None] & opened[:, None, None]
    column = said(np.asarray(truth.any(axis=1)), lines)[:, None, :] & opened[:, None, None]
    tested = row & column
    tested |= row & ~column.any(axis=2, keepdims=True)
    tested |= column & ~row.any(axis=1, keepdims=True)
    found = tested & said(truth, lines + 1)
    used = (master + opened * 2 * side + tested.sum(axis=(1, 2))) / side**2
    return (
        float(used.mean()),
        float(used.std() / rounds**0.5),
        float((found & truth).sum() / truth.sum()),
    )


def _alone(
    one: int, truth: Sequence[bool], weight: float, counted: Counted, right: tuple[float, float]
) -> None:
    if truth[one]:
        counted.found[one] += weight * right[0]
    else:
        counted.blamed[one] += weight * (1 - right[1])


def _truths(p: Numbers) -> Iterator[tuple[tuple[bool, ...], float]]:
    for truth in product((False, True), repeat=len(p)):
        yield truth, prod(q if yes else 1 - q for q, yes in zip(p, truth, strict=True))


def _pools(tree: Tree, first: int, stage: int) -> Iterator[tuple[tuple[int, ...], int]]:
    if tree == 1:
        return
    yield tuple(range(first, first + _people(tree))), stage
    for part in [] if isinstance(tree, int) else tree:
        yield from _pools(part, first, stage + 1)
        first += _people(part)


def _people(tree: Tree) -> int:
    return tree if isinstance(tree, int) else sum(_people(part) for part in tree)


def _says(answer: bool, holds: bool, se: Numbers, sp: Numbers, stage: int) -> float:
    positive = se[stage] if holds else 1 - sp[stage]
    return positive if answer else 1 - positive
