"""What stands around every page: the stages of one's role, the menu behind one's name, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final
from uuid import UUID

from flask import Flask, current_app, request, url_for
from sqlalchemy import select

from lims.domain import barcodes
from lims.tables import Site
from lims.web.access import maybe_current
from lims.web.counting import counting
from lims.web.language import gettext as _
from lims.web.language import laboratory, lasting, ngettext, now
from lims.work.access import Role, SignedIn
from lims.work.views import stages
from lims.work.views.stages import Item, Stage, StageCount

PATHS: Final = {
    Stage.COLLECT: "/collect",
    Stage.RECEIVE: "/receive",
    Stage.POOL: "/pools",
    Stage.RUN: "/runs",
    Stage.REVIEW: "/review",
    Stage.HANDOFF: "/handoff",
}

# A person sees only the stages of their role. Operators see the whole day; admins run the system
# and see nobody's samples.
STAGES_OF: Final = {
    Role.TECHNICIAN: frozenset({Stage.COLLECT, Stage.RECEIVE, Stage.POOL, Stage.RUN}),
    Role.REVIEWER: frozenset({Stage.RUN, Stage.REVIEW}),
    Role.TRACER: frozenset({Stage.HANDOFF}),
    Role.OPERATOR: frozenset(Stage),
    Role.ADMIN: frozenset[Stage](),
}


# Those with tubes and cards in their hands; a tracing team works with cases.
SCANNING: Final = frozenset({Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR})
REGISTERING: Final = frozenset({Role.TECHNICIAN, Role.OPERATOR})


@dataclass(frozen=True)
class NavStage:
    """One stage of the navigation, ready to print."""

    key: str
    path: str
    label: str
    count: int
    note: str
    late: bool
    here: bool


@dataclass(frozen=True)
class MenuEntry:
    """A link behind the name, for those with one of the roles."""

    path: str
    label: str
    roles: frozenset[Role]


def stages_of(me: SignedIn) -> frozenset[Stage]:
    """The stages this person works at."""
    return frozenset(stage for role in me.roles for stage in STAGES_OF[role])


def answering_scan() -> bool:
    """True when `scanning.js` asks: it takes the page's <main> and the form beside the scan field,
    and keeps the frame that stands around them."""
    return "X-Scan" in request.headers


def at_a_desk() -> bool:
    """True for those who may register."""
    me = maybe_current()
    return me is not None and bool(me.roles & REGISTERING)


def only_team(me: SignedIn) -> UUID | None:
    """A tracer counts their own team's cases; whoever sees the whole day counts all."""
    return None if Role.OPERATOR in me.roles else me.team_id


def day_start() -> datetime:
    """The site's last midnight."""
    return counting().midnight(now())


def stage_label(stage: Stage) -> str:
    """The stage's name in this request's language."""
    match stage:
        case Stage.COLLECT:
            return _("Collect")
        case Stage.RECEIVE:
            return _("Receive")
        case Stage.POOL:
            return _("Pool")
        case Stage.RUN:
            return _("Run")
        case Stage.REVIEW:
            return _("Review")
        case Stage.HANDOFF:
            return _("F0 hand-off")


def stage_nav() -> Sequence[NavStage]:
    """The stages of whoever asks, counted now; nothing for a visitor or an admin."""
    me = maybe_current()
    if me is None or not (mine := stages_of(me)):
        return ()
    items = counting().waiting(only_team(me), now())
    at = request.args.get("at", "") if request.endpoint == "home.stages" else request.path
    corrected = sum(item.count for item in items if item.item is Item.CORRECTED)
    return [_shown(stage, at, corrected) for stage in stages.by_stage(items, mine)]


def _shown(stage: StageCount, at: str, corrected: int) -> NavStage:
    path = PATHS[stage.stage]
    return NavStage(
        key=stage.stage,
        path=path,
        label=stage_label(stage.stage),
        count=stage.count,
        note=_note(stage, corrected),
        late=stage.late > 0,
        here=at == path or at.startswith(path + "/"),
    )


def _note(stage: StageCount, corrected: int) -> str:
    if stage.stage is Stage.RECEIVE:
        return _("today")
    if stage.oldest_at is None:
        return _("nothing waits")
    oldest = lasting(now() - stage.oldest_at)
    if stage.stage is Stage.HANDOFF and corrected:
        return ngettext("%(num)s correction", "%(num)s corrections", corrected)
    if stage.stage is Stage.HANDOFF:
        return _("unclaimed for %(wait)s", wait=oldest)
    if stage.late:
        return ngettext("%(num)s late", "%(num)s late", stage.late)
    return _("oldest %(wait)s", wait=oldest)


Group = tuple[str, list[MenuEntry]]


def menu() -> list[Group]:
    """The groups behind the name with the pages this person may open and this site has."""
    me = maybe_current()
    roles = me.roles if me else frozenset()
    known = current_app.url_map.bind_to_environ(request.environ)
    shown = [
        (title, [entry for entry in entries if entry.roles & roles and known.test(entry.path)])
        for title, entries in (_bench(), _reports(), _administration(), _oneself())
    ]
    return [(title, entries) for title, entries in shown if entries]


def _bench() -> Group:
    return (
        _("Bench"),
        [
            MenuEntry("/search", _("Find a person or a tube"), SCANNING),
            MenuEntry("/labels", _("Tube labels"), REGISTERING),
            MenuEntry(
                "/collect/rapid/kits",
                _("Rapid test kits"),
                frozenset({Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR}),
            ),
            MenuEntry("/slips", _("Result slips"), SCANNING),
            MenuEntry(
                "/recall",
                _("Recalls and disagreements"),
                frozenset({Role.REVIEWER, Role.OPERATOR}),
            ),
            MenuEntry("/gateways", _("Gateways"), SCANNING | {Role.ADMIN}),
        ],
    )


def _reports() -> Group:
    return (
        _("Reports and planning"),
        [
            MenuEntry(
                "/day",
                _("Will it be in time?"),
                frozenset({Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR}),
            ),
            MenuEntry("/reports", _("Reports"), frozenset({Role.OPERATOR, Role.REVIEWER})),
            MenuEntry(
                "/reports/reconciliation",
                _("Does the day add up?"),
                frozenset({Role.OPERATOR, Role.REVIEWER}),
            ),
            MenuEntry(
                "/results",
                _("Results of the day"),
                frozenset({Role.TECHNICIAN, Role.OPERATOR, Role.REVIEWER}),
            ),
            MenuEntry(
                "/handoff/list",
                _("Positive list"),
                frozenset({Role.TRACER, Role.OPERATOR, Role.REVIEWER}),
            ),
            MenuEntry("/handoff/calls", _("Voice list"), frozenset({Role.TRACER, Role.OPERATOR})),
            MenuEntry("/plan", _("Planning"), frozenset({Role.OPERATOR, Role.ADMIN})),
        ],
    )


def _administration() -> Group:
    return (
        _("Administration"),
        [
            MenuEntry("/admin/users", _("People and roles"), frozenset({Role.ADMIN})),
            MenuEntry("/admin/tokens", _("Machine tokens"), frozenset({Role.ADMIN})),
            MenuEntry(
                "/admin/policy", _("Laboratory policy"), frozenset({Role.ADMIN, Role.OPERATOR})
            ),
            MenuEntry("/admin/campaigns", _("Campaigns"), frozenset({Role.ADMIN, Role.OPERATOR})),
            MenuEntry("/admin/instruments", _("Analysers"), frozenset({Role.ADMIN, Role.OPERATOR})),
            MenuEntry(
                "/admin/control-templates",
                _("Control templates"),
                frozenset({Role.ADMIN, Role.OPERATOR}),
            ),
            MenuEntry(
                "/admin/validation-panel",
                _("Validation panel"),
                frozenset({Role.ADMIN, Role.OPERATOR}),
            ),
            MenuEntry(
                "/admin/case-definitions",
                _("Case definitions"),
                frozenset({Role.ADMIN, Role.OPERATOR}),
            ),
            MenuEntry("/admin/triage", _("Triage"), frozenset({Role.ADMIN, Role.OPERATOR})),
            MenuEntry("/admin/teams", _("Tracing teams"), frozenset({Role.ADMIN, Role.OPERATOR})),
            MenuEntry(
                "/admin/subscriptions",
                _("Who is told"),
                frozenset({Role.ADMIN, Role.OPERATOR}),
            ),
            MenuEntry("/admin/zones", _("Zones"), frozenset({Role.ADMIN, Role.OPERATOR})),
            MenuEntry("/admin/declarations", _("Declarations"), frozenset({Role.ADMIN})),
            MenuEntry("/admin/destinations", _("Other systems"), frozenset({Role.ADMIN})),
        ],
    )


def _oneself() -> Group:
    return (
        _("You"),
        [
            MenuEntry("/me/password", _("Change my password"), frozenset(Role)),
            MenuEntry("/problems", _("What the messages mean"), frozenset(Role)),
        ],
    )


def site_name() -> str:
    """The laboratory's name, read once."""
    lab, kept = laboratory(), current_app.extensions
    if "site_name" not in kept:
        with lab.sessions.begin() as session:
            kept["site_name"] = session.scalar(select(Site.name).where(Site.id == lab.site_id))
    return str(kept["site_name"] or lab.prefix)


def init_app(app: Flask) -> None:
    """Give every template its frame."""
    addresses: dict[str, str] = {}

    def asset(name: str) -> str:
        """A static file's address with its content's digest, so that it may be kept for a year."""
        if name not in addresses or app.debug:
            content = Path(app.static_folder or "", name).read_bytes()
            version = sha256(content).hexdigest()[:10]
            addresses[name] = url_for("static", filename=name, v=version)
        return addresses[name]

    app.jinja_env.globals.update(asset=asset, stage_nav=stage_nav, menu=menu)
    app.jinja_env.filters["barcode"] = barcodes.shown

    @app.context_processor
    def frame() -> dict[str, object]:
        me = maybe_current()
        return {
            "site_name": site_name() if me else "",
            "may_scan": me is not None and bool(me.roles & SCANNING),
            "framed": not answering_scan(),
        }
