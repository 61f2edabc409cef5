"""What every figure says: what was measured, against which limit, and the aim."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``limit`` and ``ratio`` are None where the aim is absolute."""

    name: str
    measured: float
    unit: str
    limit: float | None
    limit_name: str
    ratio: float | None
    aim: str
    met: bool
    details: dict[str, float] = field(default_factory=dict)
