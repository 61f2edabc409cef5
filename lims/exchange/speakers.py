"""Who speaks to which kind of destination."""

from collections.abc import Mapping

from lims.domain.exchange import DestinationKind
from lims.exchange.adapters.area_figures import AreaFigures
from lims.exchange.adapters.health_book import HealthBook
from lims.exchange.oru.hospital import Hospital
from lims.exchange.speaker import Speaker


def every_speaker() -> Mapping[DestinationKind, Speaker]:
    """One of each kind."""
    return {
        DestinationKind.ORU: Hospital(),
        DestinationKind.HEALTH_BOOK: HealthBook(),
        DestinationKind.AREA_FIGURES: AreaFigures(),
    }
