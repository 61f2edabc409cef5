"""SQLAlchemy rows, no rules; one file per noun. Importing it loads every table."""

from lims.tables.access import AuditEvent, LoginAttempt, Token, User
from lims.tables.area_day import AreaDay
from lims.tables.asking import Asking, PersonQuestion
from lims.tables.base import Base
from lims.tables.declaration import Declaration, DeclarationFault, DeclaredPerson
from lims.tables.definition import CaseDefinitionRow
from lims.tables.evidence import Finding, Measurement, RawMessage, Result, ReviewDecision
from lims.tables.exchange import Comparison, ComparisonGap, Destination, Outbound
from lims.tables.gateway import GatewayLine
from lims.tables.handoff import (
    AlertMember,
    Claim,
    Delivery,
    Digest,
    F0Case,
    Notice,
    Subscription,
    Team,
)
from lims.tables.importing import ImportFault, ImportFile, ImportJob, ImportMapping
from lims.tables.label import LabelBatch
from lims.tables.lists import ListSchedule, TracingList
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
from lims.tables.recall import ReagentLot, Recall, RecallFinding, RecallRun, RecallStrip, RunLot
from lims.tables.resolution import PoolResolution, SubPool, SubPoolSource
from lims.tables.roster import (
    Contact,
    Duty,
    EscalationStep,
    PersonZone,
    VoiceCall,
    VoiceCallCase,
    Zone,
)
from lims.tables.run import ControlTemplate, ControlTemplateWell, Instrument, Run, TestOrder, Well
from lims.tables.slip import Slip
from lims.tables.taken_back import TakenBack
from lims.tables.triage import CaseTriage, TriageTable
from lims.tables.tube import Tube, TubeSource, TubeSpecimen
from lims.tables.validation import ValidationPanel, ValidationPanelRow

__all__ = [
    "AddressDoubt",
    "AlertMember",
    "Area",
    "AreaDay",
    "Asking",
    "AuditEvent",
    "Base",
    "Campaign",
    "CardDoubt",
    "CaseDefinitionRow",
    "CaseTriage",
    "Claim",
    "Comparison",
    "ComparisonGap",
    "Contact",
    "ControlTemplate",
    "ControlTemplateWell",
    "Declaration",
    "DeclarationFault",
    "DeclaredPerson",
    "Delivery",
    "Destination",
    "Digest",
    "Duty",
    "EscalationStep",
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
    "ListSchedule",
    "LoginAttempt",
    "Measurement",
    "Notice",
    "Outbound",
    "Person",
    "PersonMerge",
    "PersonQuestion",
    "PersonZone",
    "PolicyChange",
    "PoolResolution",
    "Rack",
    "RackTube",
    "RapidTest",
    "RawMessage",
    "ReagentLot",
    "Recall",
    "RecallFinding",
    "RecallRun",
    "RecallStrip",
    "Recollection",
    "Result",
    "ReviewDecision",
    "Roster",
    "RosterMember",
    "Run",
    "RunLot",
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
    "TracingList",
    "TriageTable",
    "Tube",
    "TubeSource",
    "TubeSpecimen",
    "User",
    "ValidationPanel",
    "ValidationPanelRow",
    "VoiceCall",
    "VoiceCallCase",
    "Well",
    "Zone",
]
