"""Administration: who may enter, which machines, which teams, and who is told of what.

Importing the package hangs every page on the blueprint.
"""

from lims.web.admin import (
    campaign_pooling,
    campaigns,
    control_templates,
    instruments,
    policy,
    subscriptions,
    teams,
    tokens,
    users,
    validation_panel,
)
from lims.web.admin.blueprint import blueprint

__all__ = [
    "blueprint",
    "campaign_pooling",
    "campaigns",
    "control_templates",
    "instruments",
    "policy",
    "subscriptions",
    "teams",
    "tokens",
    "users",
    "validation_panel",
]
