"""What no driver should say of a message, and what is quarantined in its place."""

import pytest

from instruments.astm.sender import cut
from instruments.driven import (
    LONGEST_DETAIL,
    LONGEST_TEXT,
    MOST_FLAGS,
    MOST_MEASUREMENTS,
    MOST_SPECIMENS,
    MOST_TARGETS,
)
from lims.api.messages import MessageBody
from tests.instruments.test_intake import ENQ, EOT, RECORDS, Gateway, gateway

__all__ = ["gateway"]


@pytest.mark.parametrize(
    "record",
    [
        b"P|" + b"7" * 5000,  # Python reads no number of so many digits
        b"O|" + b"x" * 5000,
        b"O|\x00",
    ],
)
def test_a_mad_record_is_quarantined_in_words_that_the_lims_takes(
    gateway: Gateway, record: bytes
) -> None:
    mad = [*RECORDS[:1], record + b"\r", *RECORDS[1:]]
    gateway.hears(ENQ + b"".join(cut(mad)) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.raw == b"".join(mad)
    MessageBody.model_validate(capture.to_json())


@pytest.mark.parametrize("specimen", [b"S\x002", b"S" * 201])
def test_an_id_that_the_lims_cannot_take_is_quarantined_here(
    gateway: Gateway, specimen: bytes
) -> None:
    told = [record.replace(b"|S2^", b"|" + specimen + b"^") for record in RECORDS]
    gateway.hears(ENQ + b"".join(cut(told)) + EOT)
    (capture,) = gateway.owed()
    assert capture.quarantine
    assert capture.quarantine.reason == "untellable"
    assert capture.measurements == ()
    MessageBody.model_validate(capture.to_json())


def test_what_the_gateway_thinks_that_the_lims_takes_is_what_it_takes() -> None:
    schema = MessageBody.model_json_schema()
    measurement = schema["$defs"]["MeasurementBody"]["properties"]
    detail = schema["$defs"]["QuarantineBody"]["properties"]["detail"]["maxLength"]
    assert measurement["specimen"]["maxLength"] == LONGEST_TEXT
    assert measurement["targets"]["maxItems"] == MOST_TARGETS
    assert measurement["flags"]["maxItems"] == MOST_FLAGS
    assert measurement["specimens"]["maxItems"] == MOST_SPECIMENS
    assert schema["properties"]["measurements"]["maxItems"] == MOST_MEASUREMENTS
    assert detail >= LONGEST_DETAIL
