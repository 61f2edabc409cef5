"""SQLAlchemy rows, no rules; one file per noun. Importing it loads every table."""

from lims.tables.access import AuditEvent, LoginAttempt, Token, User
from lims.tables.base import Base
from lims.tables.evidence import Finding, Measurement, RawMessage, Result, ReviewDecision
from lims.tables.handoff import (
    AlertMember,
    Claim,
    Delivery,
    F0Case,
    Notice,
    Subscription,
    Team,
)
from lims.tables.label import LabelBatch
from lims.tables.people import CardDoubt, Household, Person, RapidTest, Recollection, Specimen
from lims.tables.place import Area, Campaign, Site
from lims.tables.run import Instrument, Run, TestOrder, Well
from lims.tables.taken_back import TakenBack
from lims.tables.tube import Tube, TubeSource, TubeSpecimen

__all__ = [
    "AlertMember",
    "Area",
    "AuditEvent",
    "Base",
    "Campaign",
    "CardDoubt",
    "Claim",
    "Delivery",
    "F0Case",
    "Finding",
    "Household",
    "Instrument",
    "LabelBatch",
    "LoginAttempt",
    "Measurement",
    "Notice",
    "Person",
    "RapidTest",
    "RawMessage",
    "Recollection",
    "Result",
    "ReviewDecision",
    "Run",
    "Site",
    "Specimen",
    "Subscription",
    "TakenBack",
    "Team",
    "TestOrder",
    "Token",
    "Tube",
    "TubeSource",
    "TubeSpecimen",
    "User",
    "Well",
]
