"""Cases that belong together: whoever shares something, and whoever shares with them.

A cluster is a connected component (union-find): A lives with B, and B was swabbed in one tube with
C, so A, B and C are one cluster. Which ties count is the reader's choice: a pool that the
laboratory made says where tubes stood in a rack as much as where people live.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from uuid import UUID


class Tie(StrEnum):
    """What two cases share, the closest first."""

    HOUSEHOLD = "household"
    SWABBED_TOGETHER = "swabbed_together"
    HOUSE = "house"
    PHONE = "phone"
    BUILDING = "building"
    LANE = "lane"
    WORKPLACE = "workplace"
    ZONE = "zone"
    LAB_POOL = "lab_pool"


USUAL: Final = frozenset(Tie) - {Tie.LAB_POOL}


@dataclass(frozen=True, slots=True)
class Shared:
    """One thing that cases share: `key` tells it from others of its tie, `name` is for people."""

    tie: Tie
    key: str
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Link:
    """Something that two cases or more of a cluster share."""

    shared: Shared
    cases: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """At least two cases, the first the oldest, and all that ties them."""

    cases: tuple[UUID, ...]
    links: tuple[Link, ...]

    @property
    def cluster_id(self) -> UUID:
        """That of its oldest case: it stays when the cluster grows."""
        return self.cases[0]


def clusters(
    shared: Iterable[tuple[UUID, Sequence[Shared]]], ties: Collection[Tie] = USUAL
) -> list[Cluster]:
    """The clusters among cases (UUIDv7: their ids sort by age), the largest first."""
    holders: dict[Shared, list[UUID]] = defaultdict(list)
    for case, has in shared:
        for one in set(has):
            if one.tie in ties:
                holders[one].append(case)
    parent: dict[UUID, UUID] = {}
    for cases in holders.values():
        for other in cases[1:]:
            _join(parent, cases[0], other)
    members: dict[UUID, set[UUID]] = defaultdict(set)
    links: dict[UUID, list[Link]] = defaultdict(list)
    for one, cases in holders.items():
        if len(cases) < 2:
            continue
        root = _root(parent, cases[0])
        members[root].update(cases)
        links[root].append(Link(one, tuple(sorted(cases))))
    order = list(Tie)
    found = [
        Cluster(
            tuple(sorted(cases)),
            tuple(
                sorted(
                    links[root],
                    key=lambda link: (order.index(link.shared.tie), -len(link.cases), link.cases),
                )
            ),
        )
        for root, cases in members.items()
    ]
    return sorted(found, key=lambda cluster: (-len(cluster.cases), cluster.cases))


def _join(parent: dict[UUID, UUID], one: UUID, other: UUID) -> None:
    first, second = _root(parent, one), _root(parent, other)
    if first != second:
        parent[second] = first


def _root(parent: dict[UUID, UUID], case: UUID) -> UUID:
    root = case
    while (above := parent.get(root, root)) != root:
        root = above
    while (above := parent.get(case, root)) != root:  # the next look is one step
        parent[case], case = root, above
    return root
