"""SQLAlchemy rows, no rules; one file per noun. Importing it loads every table."""

from lims.tables.access import AuditEvent, LoginAttempt, Token, User
from lims.tables.base import Base
from lims.tables.evidence import Finding, Measurement, RawMessage, Result, ReviewDecision
from lims.tables.gateway import GatewayLine
from lims.tables.handoff import (
    AlertMember,
    Claim,
    Delivery,
    F0Case,
    Notice,
    Subscription,
    Team,
)
from lims.tables.importing import ImportFault, ImportFile, ImportJob, ImportMapping
from lims.tables.label import LabelBatch
from lims.tables.people import (
    AddressDoubt,
    CardDoubt,
    Household,
    Person,
    PersonMerge,
    Recollection,
    Specimen,
)
from lims.tables.place import Area, Campaign, PolicyChange, Site
from lims.tables.rack import Rack, RackTube
from lims.tables.rapid import Kit, KitLot, RapidTest, Roster, RosterMember, Strip, StripTimer
from lims.tables.resolution import PoolResolution, SubPool, SubPoolSource
from lims.tables.run import ControlTemplate, ControlTemplateWell, Instrument, Run, TestOrder, Well
from lims.tables.slip import Slip
from lims.tables.taken_back import TakenBack
from lims.tables.tube import Tube, TubeSource, TubeSpecimen
from lims.tables.validation import ValidationPanel, ValidationPanelRow

__all__ = [
    "AddressDoubt",
    "AlertMember",
    "Area",
    "AuditEvent",
    "Base",
    "Campaign",
    "CardDoubt",
    "Claim",
    "ControlTemplate",
    "ControlTemplateWell",
    "Delivery",
    "F0Case",
    "Finding",
    "GatewayLine",
    "Household",
    "ImportFault",
    "ImportFile",
    "ImportJob",
    "ImportMapping",
    "Instrument",
    "Kit",
    "KitLot",
    "LabelBatch",
    "LoginAttempt",
    "Measurement",
    "Notice",
    "Person",
    "PersonMerge",
    "PolicyChange",
    "PoolResolution",
    "Rack",
    "RackTube",
    "RapidTest",
    "RawMessage",
    "Recollection",
    "Result",
    "ReviewDecision",
    "Roster",
    "RosterMember",
    "Run",
    "Site",
    "Slip",
    "Specimen",
    "Strip",
    "StripTimer",
    "SubPool",
    "SubPoolSource",
    "Subscription",
    "TakenBack",
    "Team",
    "TestOrder",
    "Token",
    "Tube",
    "TubeSource",
    "TubeSpecimen",
    "User",
    "ValidationPanel",
    "ValidationPanelRow",
    "Well",
]
