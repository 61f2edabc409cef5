"""Every type that is served, by its name."""

from typing import Final

from lims.exchange.fhir.listing import Type
from lims.exchange.fhir.observations import DIAGNOSTIC_REPORT, OBSERVATION
from lims.exchange.fhir.patients import PATIENT
from lims.exchange.fhir.service_requests import SERVICE_REQUEST
from lims.exchange.fhir.specimens import SPECIMEN

TYPES: Final[dict[str, Type]] = {
    kind.name: kind for kind in (PATIENT, SPECIMEN, SERVICE_REQUEST, OBSERVATION, DIAGNOSTIC_REPORT)
}
