"""What a simulated machine is told that it measured.

    {"plate": "PL7", "wells": [{"well": "A01", "specimen": "…", "role": "specimen",
                                "targets": {"ORF1ab": 23.7, "N": null, "IC": 27.1}}]}
    {"specimen": "…", "call": "NEGATIVE", "targets": {"E": null, "SPC": 29.3}}
    {"specimen": "…", "run": "PL7", "well": "A01", "ct": 21.4}

A machine that has plates is told a plate, or one tube with its `run` and `well`; any other one is
told tubes, and of a whole plate it sends a message for each. `error` is `code text`; a `call` that
is left out follows from the cycle numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from instruments.analyser_messages import Well
from instruments.measurement import Role


@dataclass(frozen=True, slots=True)
class Said:
    """`name` is what the simulator answers by. `plate` is empty where none was named."""

    name: str
    plate: str
    wells: tuple[Well, ...]

    @property
    def specimens(self) -> tuple[Well, ...]:
        return tuple(well for well in self.wells if well.role is Role.SPECIMEN)


def said(asked: Mapping[str, Any]) -> Said:
    """Raises KeyError, TypeError or ValueError for what says nothing."""
    if "plate" in asked:
        wells = tuple(_well(each) for each in asked["wells"])
        return Said(str(asked["plate"]), str(asked["plate"]), wells)
    return Said(asked["specimen"], asked.get("run", ""), (_well(asked),))


def _well(asked: Mapping[str, Any]) -> Well:
    targets = asked.get("targets")
    if targets is None:
        targets = {"": asked["ct"]} if "ct" in asked else {}
    return Well(
        well=asked.get("well", ""),
        specimen=asked.get("specimen", ""),
        role=Role(asked.get("role", "specimen")),
        targets={str(name): _cycles(ct) for name, ct in targets.items()},
        error=asked.get("error"),
        call=asked.get("call"),
    )


def _cycles(value: object) -> float | None:
    """Raises TypeError, ValueError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ValueError(f"expected a number of cycles or null, came {value!r}")
    return float(value)
