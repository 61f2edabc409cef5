"""The words for what a test says, what is known of a person, and what is told."""

from enum import StrEnum


class Outcome(StrEnum):
    """What one measurement says about its tube (SNOMED CT 260373001 and siblings)."""

    DETECTED = "detected"
    NOT_DETECTED = "not_detected"
    INCONCLUSIVE = "inconclusive"
    INVALID = "invalid"


class FindingOutcome(StrEnum):
    """What is known of one specimen. A positive pool makes its members preliminary only."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    PRELIMINARY = "preliminary"
    PRESUMPTIVE = "presumptive"
    INCONCLUSIVE = "inconclusive"
    DISCORDANT = "discordant"
    RECOLLECT = "recollect"


class Basis(StrEnum):
    """On what evidence a person is called an F0 (11042/BYT-DP, 29 Dec 2021).

    The definition in force says which of them confirm (case_definition.py); presumptive never does.
    """

    PCR = "pcr"
    ANTIGEN_PRESUMPTIVE = "antigen_presumptive"
    ANTIGEN_CONTACT = "antigen_contact"
    ANTIGEN_SUSPECT = "antigen_suspect"
    ANTIGEN_TWICE = "antigen_twice"
    POOLED_PRESUMPTIVE = "pooled_presumptive"


class MemberState(StrEnum):
    """A member of a positive pool, as its area's team sees it."""

    PROVISIONAL = "provisional"
    WITHDRAWN = "withdrawn"
    CONFIRMED = "confirmed"


class NoticeKind(StrEnum):
    """Event types of the webhook, in Standard Webhooks dotted form."""

    CASE_OPENED = "case.opened"
    CASE_CONFIRMED = "case.confirmed"
    CASE_CORRECTED = "case.corrected"
    CASE_CLOSED = "case.closed"
    ALERT_RAISED = "alert.raised"
    ALERT_UPDATED = "alert.updated"
