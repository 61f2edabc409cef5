"""How many carry it where a pool's people live, as far as it is known at this moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.dilution import STANDARD, PanelParameters, parameters_of
from lims.domain.pooling.monitoring import WINDOW_DAYS
from lims.domain.pooling.prevalence import PoolResults, Prevalence, estimate_prevalence
from lims.domain.pooling.routine import routine_results
from lims.tables import Campaign
from lims.work.validation_panel import panel_in_force

_FEWEST_POOLS: Final = 30  # answered; of fewer the estimate says less than the pools' own size
_NEWEST_POOLS: Final = 400
"""Of the window's at most: 8,000 people in pools of twenty, and a few milliseconds."""


class Whence(StrEnum):
    """Of whom the prevalence is."""

    AREA = "area"
    CAMPAIGN = "campaign"


@dataclass(frozen=True, slots=True)
class PrevalenceKnown:
    """The estimate, and of whom it is."""

    whence: Whence
    found: Prevalence


@dataclass(frozen=True, slots=True)
class KnownOfCampaign:
    """The window's newest pools of one campaign, by the area of their people."""

    lines: tuple[tuple[str | None, PoolResults], ...]

    def of(self, area: str | None) -> PrevalenceKnown | None:
        """Of the area where enough of its pools have answered, else of the whole campaign, else
        None. A pool of people from several areas has none."""
        inside = [results for place, results in self.lines if area and place == area]
        for whence, results in (
            (Whence.AREA, inside),
            (Whence.CAMPAIGN, [results for _, results in self.lines]),
        ):
            if sum(one.tested for one in results) >= _FEWEST_POOLS:
                return PrevalenceKnown(whence, estimate_prevalence(results))
        return None


def prevalence_known(
    session: Session, campaign_id: UUID, *, but: list[UUID], site_id: UUID, now: datetime
) -> KnownOfCampaign:
    """Rolling, of the days before now. ``but``: the pools that are to be opened, which are evidence
    of their own."""
    campaign = session.get_one(Campaign, campaign_id)
    panel = panel_in_force(session, site_id=site_id, assay=campaign.assay_code)
    parameters = parameters_of(panel.lod_ct, panel.cycles_per_doubling) if panel else STANDARD
    rows = session.execute(
        _ANSWERED,
        {
            "site": site_id,
            "campaign": campaign_id,
            "since": now - timedelta(days=WINDOW_DAYS),
            "but": but,
            "most": _NEWEST_POOLS,
        },
    )
    return KnownOfCampaign(tuple((row.area, _results(row, parameters)) for row in rows))


def _results(row: Any, parameters: PanelParameters) -> PoolResults:
    return routine_results(
        TubeKind(row.kind),
        row.people,
        tested=row.tested,
        positive=row.positive,
        parameters=parameters,
    )


# As in views/pool_positivity.py: a pool counts by its own tests, and as positive if it ever was.
_ANSWERED: Final = text("""
WITH recent AS (
    SELECT t.id, t.kind FROM tube t
    WHERE t.site_id = :site AND t.kind <> 'individual' AND t.campaign_id = :campaign
      AND t.created_at >= :since AND t.master_id IS NULL AND t.id <> ALL(:but)
    ORDER BY t.created_at DESC LIMIT :most
), answered AS (
    SELECT a.id, a.kind, bool_or(r.outcome = 'detected') AS detected
    FROM recent a
    JOIN result r ON r.tube_id = a.id AND r.current AND NOT r.held
                 AND r.outcome IN ('detected', 'not_detected')
    GROUP BY a.id, a.kind
), placed AS (
    SELECT a.kind, a.detected, count(*) AS people,
           min(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS first,
           max(coalesce(p.area_scheme || ' ' || p.area_code, '')) AS last
    FROM answered a
    JOIN tube_specimen ts ON ts.tube_id = a.id
    JOIN specimen s ON s.id = ts.specimen_id
    JOIN person p ON p.id = s.person_id
    GROUP BY a.id, a.kind, a.detected
)
SELECT kind, people, CASE WHEN first = last THEN nullif(first, '') END AS area,
       count(*) AS tested, count(*) FILTER (WHERE detected) AS positive
FROM placed GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")
