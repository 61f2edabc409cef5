"""The probabilities of one pool's people, drawn from the same evidence that decides about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import SubPoolState, TubeKind
from lims.domain.outcomes import Outcome
from lims.domain.pooling.bayes.error_model import Role
from lims.domain.pooling.bayes.picture import Asked, Split, Trust, picture
from lims.domain.pooling.calls import SILENT, Call, calls
from lims.domain.pooling.conclude import DISCORDANCE_CLOSED
from lims.domain.pooling.evidence import Composition, TubeFacts
from lims.domain.pooling.measured import LARGEST, RULE, measured
from lims.domain.pooling.prior import prior_of
from lims.work.evidence import read_known
from lims.work.views.pool_view import PoolMember
from lims.work.views.sub_pool_view import SubPoolLine
from lims.work.views.tube_story import Sign

_OPEN: Final = frozenset({"queued", "plated"})
_DECIDED: Final = frozenset({Sign.NEGATIVE, Sign.POSITIVE})
_SHOWN: Final = 3  # kinds of tubes after an answer


@dataclass(frozen=True, slots=True)
class Risk:
    """Tubes of which each is as likely as the others (to a tenth of a per cent)."""

    barcodes: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class TestAhead:
    """A test without an answer. ``position``: of a sub-pool; None of a tube alone.

    ``chance``: that it is detected. ``if_detected``, ``if_not``: the likeliest after either answer,
    of those whom it leaves open. ``clears``: how many a negative answer would clear.
    """

    __test__ = False  # pytest: this is a laboratory's test, not ours
    position: str | None
    holds: tuple[str, ...]
    chance: float
    if_detected: tuple[Risk, ...]
    if_not: tuple[Risk, ...]
    clears: int


@dataclass(frozen=True, slots=True)
class PoolPicture:
    """``risks``: by barcode; nothing for whoever is cleared or found positive, of whom the findings
    say more than any probability. ``measured``: how many answers they come from.

    ``cts``: of the detected tubes that hold each, the smallest tube first; her own alone.
    """

    trust: Trust
    risks: dict[str, float]
    nobody: float
    measured: int
    tests: tuple[TestAhead, ...]
    cts: dict[str, tuple[float, ...]]


def pool_picture(
    session: Session,
    pool_id: UUID,
    kind: TubeKind,
    members: Sequence[PoolMember],
    lines: Sequence[SubPoolLine],
) -> PoolPicture | None:
    """None where there is nothing to tell apart: swabs that share a tube, a pool of pools, a pool
    that was never detected, one of more members than the arithmetic holds."""
    if kind is not TubeKind.LAB_POOL or not 2 <= len(members) <= LARGEST:
        return None
    if any(member.people > 1 for member in members):
        return None
    rows = session.execute(_PARTS, {"pool": pool_id})
    ids: dict[UUID, str] = {row.id: row.barcode for row in rows}
    known = read_known(session, list(ids))
    pool, said = known.composition.tubes[pool_id], calls(known.evidence)
    if not said.get(pool_id, SILENT).ever_detected or len(pool.sources) != len(members):
        return None
    choice = known.choices.get(pool_id)
    facts = {"rule": RULE} | dict(choice.facts if choice else {})
    closed = frozenset(d.tube_id for d in known.decisions if d.kind == DISCORDANCE_CLOSED)
    told = measured(pool, known.composition, said, facts=facts, closed=closed)
    order = [ids[source] for source in pool.sources]
    ahead = _asked(order, members, lines)
    drawn = picture(
        len(order),
        prior_of(facts, len(order)),
        told,
        tuple(asked for _, asked in ahead),
    )
    decided = {member.barcode for member in members if member.sign in _DECIDED}
    undecided = {i for i, barcode in enumerate(order) if barcode not in decided}
    return PoolPicture(
        trust=drawn.trust,
        risks={order[i]: drawn.risks[i] for i in sorted(undecided)},
        nobody=drawn.nobody,
        measured=len(told),
        tests=tuple(
            _ahead(position, split, order, undecided)
            for (position, _), split in zip(ahead, drawn.splits, strict=False)
        ),
        cts=_cts(pool, known.composition, said, ids),
    )


def _asked(
    order: Sequence[str], members: Sequence[PoolMember], lines: Sequence[SubPoolLine]
) -> list[tuple[str | None, Asked]]:
    """Sub-pools to pipette or to be answered, then tubes whose own test is."""
    place = {barcode: i for i, barcode in enumerate(order)}
    asked: list[tuple[str | None, Asked]] = []
    for line in lines:
        if line.outcome is None and (
            line.state is SubPoolState.WANTED or line.order_state in _OPEN
        ):
            drawn = tuple(sorted(place[draw.barcode] for draw in line.draws))
            asked.append((line.position, Asked(Role.SUB_POOL, drawn)))
    for member in members:
        if member.order_state in _OPEN:
            asked.append((None, Asked(Role.ALONE, (place[member.barcode],))))
    return asked


def _ahead(
    position: str | None, split: Split, order: Sequence[str], undecided: set[int]
) -> TestAhead:
    held = set(split.asked.members)
    found = held if split.asked.role is Role.ALONE else set()
    return TestAhead(
        position=position,
        holds=tuple(order[i] for i in split.asked.members),
        chance=split.chance,
        if_detected=_likeliest(split.if_detected, order, undecided - found),
        if_not=_likeliest(split.if_not, order, undecided - held),
        clears=len(held & undecided),
    )


def _likeliest(risks: Sequence[float], order: Sequence[str], among: set[int]) -> tuple[Risk, ...]:
    alike: dict[float, list[str]] = {}
    for i in sorted(among):
        alike.setdefault(round(risks[i], 3), []).append(order[i])
    return tuple(Risk(tuple(alike[share]), share) for share in sorted(alike, reverse=True)[:_SHOWN])


def _cts(
    pool: TubeFacts, composition: Composition, said: Mapping[UUID, Call], ids: Mapping[UUID, str]
) -> dict[str, tuple[float, ...]]:
    """Her own where she has one, which says more than what she shares."""
    lines = sorted(composition.sub_pools(pool.id), key=lambda tube: (len(tube.sources), tube.id))
    found: dict[str, tuple[float, ...]] = {}
    for source in pool.sources:
        own = _ct(said, source)
        shared = (_ct(said, line.id) for line in lines if source in line.sources)
        cts = (own,) if own is not None else tuple(ct for ct in shared if ct is not None)
        found[ids[source]] = cts
    return found


def _ct(said: Mapping[UUID, Call], tube: UUID) -> float | None:
    call = said.get(tube, SILENT)
    return call.ct_cycles if call.outcome is Outcome.DETECTED else None


_PARTS = text("""
SELECT id, barcode FROM tube WHERE id = :pool OR master_id = :pool
UNION ALL
SELECT t.id, t.barcode FROM tube_source s JOIN tube t ON t.id = s.source_id WHERE s.pool_id = :pool
""")
