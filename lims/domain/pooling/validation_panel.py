"""What a site's own dilution series says: the cycles a pool loses, and the largest pool it allows.

A series takes positive samples of known Ct, pools each with negative ones, and measures the pool
again and again. The loss of a doubling is fitted through the origin (a pool of one loses nothing).
The largest pool then is the smallest of three: what the limit of detection leaves of the weak
positive that must not be lost (n ≤ 2^((LoD − weak)/loss)), the largest size that was measured, and
the largest size that still found 19 of 20 (CLSI EP17-A2's limit of detection).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lims.domain.pooling import dilution
from lims.domain.pooling.dilution import PanelParameters, parameters_of
from lims.domain.refusals import InvalidBody

RULE: Final = "dilution-series/1"
LEAST_DETECTED: Final = 0.95
MOST_ROWS: Final = 60
_CT: Final = (5.0, 45.0)
_LEAST_LOSS: Final = 0.2  # cycles a doubling; less is no dilution, or two columns exchanged


class Bound(StrEnum):
    """What keeps the pool from being larger."""

    LIMIT_OF_DETECTION = "limit_of_detection"
    LARGEST_MEASURED = "largest_measured"
    DETECTION = "detection"


@dataclass(frozen=True, slots=True)
class DilutionRow:
    """One sample in pools of one size: its Ct alone, its mean Ct pooled, and how often it showed.

    ``ct_pooled`` is None where no replicate was detected.
    """

    pool_size: int
    ct_undiluted: float
    ct_pooled: float | None
    detected: int
    replicates: int


@dataclass(frozen=True, slots=True)
class Panel:
    """A validation panel as entered. ``weak_positive_ct``: the latest Ct pooling must not lose."""

    lod_ct: float
    weak_positive_ct: float
    rows: tuple[DilutionRow, ...]


@dataclass(frozen=True, slots=True)
class SizeFitted:
    """One pool size of the series: what it lost on average, and what log2 of it would lose."""

    pool_size: int
    cycles_lost: float | None
    log2_cycles: float
    detected: int
    replicates: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """What follows from a panel; ``largest_pool`` 1 means that swabs are tested alone."""

    cycles_per_doubling: float
    sizes: tuple[SizeFitted, ...]
    by_limit: int
    largest_pool: int
    bound: Bound
    parameters: PanelParameters


def fit(panel: Panel) -> Fitted:
    """The loss and the largest pool. Raises InvalidBody where the panel cannot be one."""
    faults = list(_faults(panel))
    if faults:
        raise InvalidBody(errors=faults, where="panel")
    loss = _cycles_per_doubling(panel.rows)
    if loss < _LEAST_LOSS:
        raise InvalidBody(
            errors=[
                {
                    "pointer": "#/rows",
                    "detail": "pooled samples must come later than alone: check the two columns",
                }
            ],
            where="panel",
            came=f"{loss:.2f}",
        )
    sizes = tuple(_sizes(panel))
    by_limit = dilution.largest_pool(panel.lod_ct, panel.weak_positive_ct, loss)
    passed = _largest_passed(sizes)
    measured = sizes[-1].pool_size
    if by_limit <= passed:
        bound = Bound.LIMIT_OF_DETECTION
    else:
        bound = Bound.LARGEST_MEASURED if passed == measured else Bound.DETECTION
    return Fitted(
        cycles_per_doubling=loss,
        sizes=sizes,
        by_limit=by_limit,
        largest_pool=min(by_limit, passed),
        bound=bound,
        parameters=parameters_of(panel.lod_ct, loss),
    )


def _cycles_per_doubling(rows: Iterable[DilutionRow]) -> float:
    """Least squares through the origin of the loss on log2 n, each replicate seen counting once."""
    above = below = 0.0
    for row in rows:
        if row.ct_pooled is not None:
            doublings = math.log2(row.pool_size)
            above += row.detected * doublings * (row.ct_pooled - row.ct_undiluted)
            below += row.detected * doublings**2
    return above / below


def _sizes(panel: Panel) -> Iterator[SizeFitted]:
    for size in sorted({row.pool_size for row in panel.rows}):
        rows = [row for row in panel.rows if row.pool_size == size]
        seen = [(row.detected, row.ct_pooled) for row in rows if row.ct_pooled is not None]
        lost = [row.detected * (row.ct_pooled - row.ct_undiluted) for row in rows if row.ct_pooled]
        # A sample weaker than the one that must not be lost may be lost.
        bound = [row for row in rows if row.ct_undiluted <= panel.weak_positive_ct] or rows
        found, tried = (sum(row.detected for row in bound), sum(row.replicates for row in bound))
        yield SizeFitted(
            pool_size=size,
            cycles_lost=sum(lost) / sum(many for many, _ in seen) if seen else None,
            log2_cycles=math.log2(size),
            detected=found,
            replicates=tried,
            passed=found >= LEAST_DETECTED * tried,
        )


def _largest_passed(sizes: tuple[SizeFitted, ...]) -> int:
    """The largest size that found enough, and every smaller one too; 1 when the first did not."""
    largest = 1
    for size in sizes:
        if not size.passed:
            break
        largest = size.pool_size
    return largest


def _faults(panel: Panel) -> Iterator[Mapping[str, object]]:
    if not 20 <= panel.lod_ct <= _CT[1]:
        yield {"pointer": "#/lod_ct", "detail": "a Ct from 20 to 45"}
    if not _CT[0] <= panel.weak_positive_ct <= panel.lod_ct:
        yield {
            "pointer": "#/weak_positive_ct",
            "detail": "a Ct of a sample that is detected alone: not later than the limit",
        }
    if not 1 <= len(panel.rows) <= MOST_ROWS:
        yield {"pointer": "#/rows", "detail": "1 to 60 lines of the series"}
    elif all(row.ct_pooled is None for row in panel.rows):
        yield {"pointer": "#/rows", "detail": "one line at least whose pool was detected"}
    for at, row in enumerate(panel.rows):
        yield from _row_faults(row, f"#/rows/{at}")


def _row_faults(row: DilutionRow, line: str) -> Iterator[Mapping[str, object]]:
    if not 2 <= row.pool_size <= 100:
        yield {"pointer": f"{line}/pool_size", "detail": "2 to 100 swabs in a pool"}
    if not _CT[0] <= row.ct_undiluted <= _CT[1]:
        yield {"pointer": f"{line}/ct_undiluted", "detail": "a Ct from 5 to 45"}
    if not 1 <= row.replicates <= 1000:
        yield {"pointer": f"{line}/replicates", "detail": "1 to 1,000 replicates"}
    if not 0 <= row.detected <= row.replicates:
        yield {"pointer": f"{line}/detected", "detail": "no more detected than measured"}
    if (row.detected == 0) != (row.ct_pooled is None):
        yield {
            "pointer": f"{line}/ct_pooled",
            "detail": "the mean Ct of what was detected; empty where nothing was",
        }
    elif row.ct_pooled is not None and not _CT[0] <= row.ct_pooled <= _CT[1]:
        yield {"pointer": f"{line}/ct_pooled", "detail": "a Ct from 5 to 45"}
