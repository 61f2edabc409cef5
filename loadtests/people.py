"""Invented registrations for measuring; no real person's data."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lims.db.ids import uuid7
from lims.domain.barcodes import minted_from

FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ", "Ngô")
MIDDLES = ("Văn", "Thị", "Hữu", "Minh", "Ngọc", "Đức")
GIVENS = ("An", "Bình", "Châu", "Dũng", "Hạnh", "Khánh", "Linh", "Mai", "Phúc", "Thảo")


class Crowd:
    """An endless queue of people, each with a fresh tube; the same seed gives the same crowd."""

    def __init__(self, site: str, seed: int) -> None:
        self._random = random.Random(seed)
        self._barcodes = self._labels(site)

    def registration(self, *, campaign_id: UUID | None = None) -> dict[str, Any]:
        """One JSON body for ``POST /specimens``."""
        draw = self._random
        return {
            "specimen_id": str(uuid7()),
            "barcode": next(self._barcodes),
            "collected_at": datetime.now(UTC).isoformat(),
            "campaign_id": str(campaign_id) if campaign_id else None,
            "person": {
                "name": " ".join(map(draw.choice, (FAMILIES, MIDDLES, GIVENS))),
                "birth_year": draw.randint(1930, 2018),
                "sex": draw.choice(("male", "female")),
                "phone": f"09{draw.randint(0, 10**8 - 1):08d}",
                "national_id": f"{draw.randint(0, 10**12 - 1):012d}",
                "address": f"Số {draw.randint(1, 400)} ngõ {draw.randint(1, 90)}",
            },
        }

    def barcode(self) -> str:
        """One more label."""
        return next(self._barcodes)

    def _labels(self, site: str) -> Iterator[str]:
        first = self._random.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
        for second in "ABCDEFGHJKLMNPQRSTUVWXYZ":
            for _, barcode in minted_from(site, first + second, self._random.randrange(10**8)):
                yield barcode
