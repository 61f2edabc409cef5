"""What the cycle numbers add: a row that comes a cycle after another does not hold the same person.

The master's Ct gives the load of the whole pool. One carrier alone then has a known Ct in every
tube; of several, each has a share of that load, unknown, and the same share in every tube that
holds her. The likelihood of a subset is the mean over shares as carriers have them (``LoadMix``),
so that two tubes of different Ct speak against one common carrier, and two of the same Ct for her.
Ct of equal volumes add as amounts: Ct = -log2(sum 2^-Ct / n); the same tube shows another Ct each
time, by a normal error.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lims.domain.pooling.bayes.error_model import ErrorModel, Floats, Role
from lims.domain.pooling.bayes.measurement import Measurement
from lims.domain.pooling.bayes.states import Subsets
from lims.domain.pooling.dilution import SCREENING, STANDARD, LoadMix, PanelParameters, detected

_SHARES: Final = 64  # ways to share a load, of which the mean is taken
_ALIKE_CYCLES: Final = 1.0  # pools whose Ct is so near the master's have shares like its own
_FALSE_CT: Final = (33.0, 40.0)  # where a false signal comes (pooling.md: late)
_FALSE_EARLIER: Final = 1e-3  # per cycle, before that: contamination
_TRUE_DENSITY: Final = 0.07  # per cycle: of a master's Ct, over the whole range


@dataclass(frozen=True, slots=True)
class CtModel:
    """The site's panel and its people's loads."""

    panel: PanelParameters = STANDARD
    mix: LoadMix = SCREENING

    def log_chance_of(
        self, measurements: Sequence[Measurement], infected: Subsets, model: ErrorModel
    ) -> Floats | None:
        """ln P(measurements and their Ct) under each subset, (states,); None without the Ct of a
        detected master, since then there is no load to share."""
        cts = [
            m.ct_cycles
            for m in measurements
            if m.role is Role.MASTER and m.detected and m.ct_cycles is not None
        ]
        if not cts:
            return None
        master_ct = float(np.mean(cts))
        said = np.empty(len(infected))
        counts = infected.sum(axis=1)
        for carriers in np.unique(counts):
            rows = np.flatnonzero(counts == carriers)
            holders = np.nonzero(infected[rows])[1].reshape(len(rows), carriers)
            said[rows] = self._of_so_many(
                measurements, holders, master_ct, infected.shape[1], model
            )
        return said

    def _of_so_many(
        self,
        measurements: Sequence[Measurement],
        holders: NDArray[np.intp],
        master_ct: float,
        members: int,
        model: ErrorModel,
    ) -> Floats:
        """Of subsets of the same number of carriers, ``holders``: (subsets, carriers)."""
        shares, weights = _shares(holders.shape[1], members, round(master_ct, 1), self.mix)
        total = np.zeros((len(holders), len(weights)))
        for one in measurements:
            if one.role is Role.MASTER:
                total += self._of_master(one, holders.shape[1], model)
                continue
            inside = np.isin(holders, one.members).astype(float)
            total += self._of_part(one, inside @ shares.T, master_ct, members, model)
        most = total.max(axis=1, keepdims=True)
        told: Floats = np.log(np.exp(total - most) @ weights) + most[:, 0]
        return told

    def _of_master(self, one: Measurement, carriers: int, model: ErrorModel) -> float:
        chance = model.sensitivity(Role.MASTER) if carriers else 1 - model.specificity
        if not one.detected:
            return float(np.log(1 - chance))
        if one.ct_cycles is None:
            return float(np.log(chance))
        density = _TRUE_DENSITY if carriers else _false_density(one.ct_cycles)
        return float(np.log(chance * density))

    def _of_part(
        self, one: Measurement, share: Floats, master_ct: float, members: int, model: ErrorModel
    ) -> Floats:
        """``share``: of the pool's load in this tube, 0 where no carrier is in it."""
        lost = self.panel.cycles_per_doubling
        with np.errstate(divide="ignore"):
            load_ct = master_ct + lost * (np.log2(len(one.members) / members)) - np.log2(share)
        seen = detected(load_ct, self.panel) * model.sensitivity(one.role)
        false = 1 - model.specificity
        seen = np.where(share > 0, seen, false).clip(min=1e-6)
        if not one.detected:
            missed: Floats = np.log1p(-seen.clip(max=1 - 1e-6))
            return missed
        if one.ct_cycles is None:
            plain: Floats = np.log(seen)
            return plain
        spread = self.panel.noise_cycles * sqrt(2)
        off = (one.ct_cycles - np.where(share > 0, load_ct, 0)) / spread
        density = np.exp(-(off**2) / 2) / (spread * sqrt(2 * pi)) + 1e-6
        told: Floats = np.log(seen * np.where(share > 0, density, _false_density(one.ct_cycles)))
        return told


def _false_density(ct_cycles: float) -> float:
    first, last = _FALSE_CT
    return 1 / (last - first) if first <= ct_cycles <= last else _FALSE_EARLIER


@lru_cache(maxsize=512)
def _shares(carriers: int, members: int, master_ct: float, mix: LoadMix) -> tuple[Floats, Floats]:
    """Shares of the load, (ways, carriers), each way's sum 1; and how likely, (ways,), sum 1."""
    if carriers < 2:
        return np.ones((1, carriers)), np.ones(1)
    chance = np.random.default_rng(carriers)
    drawn = 64 * _SHARES
    part = chance.choice(
        len(mix.components), (drawn, carriers), p=[c.share for c in mix.components]
    )
    mean = np.array([c.mean_ct for c in mix.components])[part]
    spread = np.array([c.sd_cycles for c in mix.components])[part]
    ct = chance.normal(mean, spread).clip(mix.lowest_ct, mix.highest_ct)
    load = np.exp2(-ct)
    together = -np.log2(load.sum(axis=1) / members)
    near = np.argsort(np.abs(together - master_ct), kind="stable")[:_SHARES]
    weights = np.exp(-(((together[near] - master_ct) / _ALIKE_CYCLES) ** 2) / 2) + 1e-9
    shares = load[near] / load[near].sum(axis=1, keepdims=True)
    return shares, weights / weights.sum()
