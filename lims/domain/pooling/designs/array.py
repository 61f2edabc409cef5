"""Square arrays, with and without a master pool.

Rows and columns are pooled and tested at once. A person is tested alone when both their row and
their column are positive, and, since a test may miss, also when their row is positive and no
column is, or their column and no row.

Source: Kim et al. 2007, section 3.2 (A2) and 3.3 (A2M); McMahan et al. 2012b for individual
probabilities. The sums over the number of positives of a row are written as products here: the
columns are disjoint, so given their cells of the row they test independently.
"""

from dataclasses import dataclass

import numpy as np

from lims.domain.pooling.designs.accuracy import Accuracy
from lims.domain.pooling.designs.hierarchical import Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """Of each square its expected tests; of each cell P(found | positive) and P(cleared |
    negative)."""

    tests: Floats
    sensitivity: Floats
    specificity: Floats


def cells(probabilities: Floats, accuracy: Accuracy, *, master: bool) -> Cells:
    """``probabilities`` as a square, rows by columns, or a stack of such squares; A2M counts its
    stages from the master pool."""
    lines = 2 if master else 1
    rows = _Lines(probabilities, accuracy, stage=lines)
    columns = _Lines(np.swapaxes(probabilities, -1, -2), accuracy, stage=lines)
    alone_se = accuracy.sensitivity(lines + 1)
    alone_sp = accuracy.specificity(lines + 1)
    clear = 1 - probabilities

    found = rows.se**2 + rows.alone_if_positive + _turned(columns.alone_if_positive)
    blamed = rows.hit_if_negative * _turned(columns.hit_if_negative)
    blamed = blamed + rows.alone_if_negative + _turned(columns.alone_if_negative)
    everyone = np.prod(clear, axis=(-2, -1))[..., None, None]
    if master:
        se, kept = accuracy.sensitivity(1), 1 - accuracy.specificity(1)
        others = np.minimum(everyone / clear, 1.0)
        found = se * found
        blamed = se * blamed + (kept - se) * others * rows.blamed_if_nobody
        opened = se + (kept - se) * everyone[..., 0, 0]
    else:
        opened = np.ones(probabilities.shape[:-2])
    side = probabilities.shape[-1]
    alone = probabilities * found + clear * blamed
    tests = float(master) + 2 * side * opened + alone.sum(axis=(-2, -1))
    return Cells(tests, found * alone_se, 1 - blamed * (1 - alone_sp))


def alike(
    probability: float, sides: Floats, accuracy: Accuracy, *, master: bool
) -> tuple[Floats, Floats]:
    """Expected tests per person and pooling sensitivity of squares of many sides, everybody's
    probability the same: the formulas of `cells` with powers for products."""
    lines = 2 if master else 1
    se, sp = accuracy.sensitivity(lines), accuracy.specificity(lines)
    p, q = probability, 1 - probability
    others = q ** (sides - 1)
    silent = (1 - se) + (se + sp - 1) * others
    no_other = (p * (1 - se) + q * silent) ** (sides - 1)
    no_other_and_clear = (q * silent) ** (sides - 1)
    found = se**2 + 2 * se * (1 - se) * no_other
    blamed = (se + (1 - sp - se) * others) ** 2 + 2 * silent * (
        se * (no_other - no_other_and_clear) + (1 - sp) * no_other_and_clear
    )
    opened = np.ones_like(sides)
    if master:
        se, kept = accuracy.sensitivity(1), 1 - accuracy.specificity(1)
        everyone = q ** (sides**2)
        nobody = (1 - sp) ** 2 + 2 * (1 - sp) * sp**sides
        found = se * found
        blamed = se * blamed + (kept - se) * q ** (sides**2 - 1) * nobody
        opened = se + (kept - se) * everyone
    tests = (float(master) + 2 * sides * opened) / sides**2 + p * found + q * blamed
    return tests, found * accuracy.sensitivity(lines + 1)


class _Lines:
    """What one direction (here called rows, crossed by columns) says of each person's cell."""

    def __init__(self, probabilities: Floats, accuracy: Accuracy, *, stage: int) -> None:
        se, sp = accuracy.sensitivity(stage), accuracy.specificity(stage)
        clear = 1 - probabilities
        others_of_row = _product_without(clear, axis=-1)
        others_of_column = _product_without(clear, axis=-2)
        side = probabilities.shape[-1]
        silent = (1 - se) + (se + sp - 1) * others_of_column  # a column, when its cell is negative
        either = probabilities * (1 - se) + clear * silent  # … whatever its cell
        neither = clear * silent  # … and its cell negative
        no_other = _product_without(either, axis=-1)
        no_other_and_clear = _product_without(neither, axis=-1)
        self.se = se
        self.hit_if_negative = se + (1 - sp - se) * others_of_row
        self.alone_if_positive = se * (1 - se) * no_other
        self.alone_if_negative = silent * (
            se * (no_other - no_other_and_clear) + (1 - sp) * no_other_and_clear
        )
        self.blamed_if_nobody = (1 - sp) ** 2 + 2 * (1 - sp) * sp**side


def _product_without(factors: Floats, axis: int) -> Floats:
    """The product of all the others along the axis, without dividing by what may be nothing."""
    moved = np.moveaxis(factors, axis, -1)
    one = np.ones((*moved.shape[:-1], 1))
    before = np.cumprod(np.concatenate([one, moved[..., :-1]], axis=-1), axis=-1)
    behind = np.cumprod(np.concatenate([one, moved[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    return np.moveaxis(before * behind, -1, axis)


def _turned(values: Floats) -> Floats:
    return np.swapaxes(values, -1, -2)
