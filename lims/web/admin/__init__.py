"""Administration: who may enter, which machines, which teams, and who is told of what.

Importing the package hangs every page on the blueprint.
"""

from lims.web.admin import (
    campaign_pooling,
    campaigns,
    case_definitions,
    control_templates,
    declarations,
    destinations,
    instruments,
    policy,
    rosters,
    subscriptions,
    teams,
    tokens,
    triage,
    users,
    validation_panel,
    zones,
)
from lims.web.admin.blueprint import blueprint

__all__ = [
    "blueprint",
    "campaign_pooling",
    "campaigns",
    "case_definitions",
    "control_templates",
    "declarations",
    "destinations",
    "instruments",
    "policy",
    "rosters",
    "subscriptions",
    "teams",
    "tokens",
    "triage",
    "users",
    "validation_panel",
    "zones",
]
