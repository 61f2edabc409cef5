"""A campaign's pools as whoever chooses their size needs them: prevalence, alarms, and advice."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.dilution import STANDARD, PanelParameters, parameters_of
from lims.domain.pooling.monitoring import WINDOW_DAYS, Alarm, watched
from lims.domain.pooling.pool_size import (
    Advice,
    Limits,
    advise_pool_size,
)
from lims.domain.pooling.prevalence import (
    DayResults,
    PoolResults,
    Prevalence,
    estimate_prevalence,
    of_window,
)
from lims.domain.pooling.routine import routine_results
from lims.domain.refusals import NotFound
from lims.tables import Campaign, Site, ValidationPanel
from lims.work.validation_panel import panel_in_force
from lims.work.views.pool_positivity import Positivity, positivity

MOST_AREAS: Final = 40
_DAYS_SHOWN: Final = 14


@dataclass(frozen=True, slots=True)
class AreaPrevalence:
    """One commune's part of the window; no name where pools mix people of several."""

    name: str | None
    found: Prevalence


@dataclass(frozen=True, slots=True)
class CampaignPooling:
    """What the window that ends today says. ``rolling`` is of the last fourteen days."""

    campaign_id: UUID
    name: str
    pool_size: int
    open: bool
    site_most: int
    validated: int | None
    panel_known: bool
    window_days: int
    found: Prevalence
    singles: Prevalence
    areas: tuple[AreaPrevalence, ...]
    rolling: tuple[tuple[date, Prevalence], ...]
    alarms: tuple[Alarm, ...]
    advice: Advice


def campaign_pooling(
    session: Session,
    campaign_id: UUID,
    *,
    site_id: UUID,
    today: date,
    day_start: datetime,
    timezone: str,
    window_days: int = WINDOW_DAYS,
) -> CampaignPooling:
    """Of an open or closed campaign. ``day_start`` is today's midnight. Raises NotFound."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.site_id != site_id:
        raise NotFound(came=str(campaign_id), where="campaigns")
    site = session.get_one(Site, site_id)
    panel = panel_in_force(session, site_id=site_id, assay=campaign.assay_code)
    parameters = _parameters(panel)
    since = day_start - timedelta(days=window_days + _DAYS_SHOWN - 2)
    lines = positivity(session, campaign_id, site_id=site_id, since=since, timezone=timezone)
    first = today - timedelta(days=window_days - 1)
    inside = [line for line in lines if first <= line.day <= today]
    pools = [line for line in inside if line.kind is not TubeKind.INDIVIDUAL]
    alone = [line for line in inside if line.kind is TubeKind.INDIVIDUAL]
    found = estimate_prevalence(_results(pools, parameters))
    singles = estimate_prevalence(_results(alone, parameters))
    validated = panel.largest_pool if panel else None
    return CampaignPooling(
        campaign_id=campaign.id,
        name=campaign.name,
        pool_size=campaign.pool_size,
        open=campaign.closed_at is None,
        site_most=site.max_pool_size,
        validated=validated,
        panel_known=panel is not None,
        window_days=window_days,
        found=found,
        singles=singles,
        areas=_by_area(pools, parameters),
        rolling=_rolling(lines, today, parameters, window_days),
        alarms=watched(found, singles),
        advice=advise_pool_size(
            campaign.pool_size,
            found,
            Limits(site.max_pool_size, validated),
            parameters=parameters,
        ),
    )


def _parameters(panel: ValidationPanel | None) -> PanelParameters:
    """The site's own model, else the one of the simulator's truth."""
    return parameters_of(panel.lod_ct, panel.cycles_per_doubling) if panel else STANDARD


def _results(lines: Iterable[Positivity], parameters: PanelParameters) -> list[PoolResults]:
    return [_of(line, parameters) for line in lines]


def _of(line: Positivity, parameters: PanelParameters) -> PoolResults:
    return routine_results(
        line.kind,
        line.pool_size,
        tested=line.tested,
        positive=line.positive,
        parameters=parameters,
    )


def _by_area(
    lines: Iterable[Positivity], parameters: PanelParameters
) -> tuple[AreaPrevalence, ...]:
    """The most prevalent first."""
    by_code: dict[str, list[Positivity]] = {}
    for line in lines:
        by_code.setdefault(line.area_code, []).append(line)
    areas = [
        AreaPrevalence(of_area[0].area_name, estimate_prevalence(_results(of_area, parameters)))
        for of_area in by_code.values()
    ]
    most_tested = sorted(areas, key=lambda one: -one.found.people)[:MOST_AREAS]
    return tuple(sorted(most_tested, key=lambda one: (-one.found.estimate, -one.found.people)))


def _rolling(
    lines: Iterable[Positivity], today: date, parameters: PanelParameters, window_days: int
) -> tuple[tuple[date, Prevalence], ...]:
    days = [
        DayResults(line.day, _of(line, parameters))
        for line in lines
        if line.kind is not TubeKind.INDIVIDUAL
    ]
    shown = [one.day for one in days if today - timedelta(days=_DAYS_SHOWN - 1) <= one.day <= today]
    return tuple((end, of_window(days, end, window_days=window_days)) for end in sorted({*shown}))
