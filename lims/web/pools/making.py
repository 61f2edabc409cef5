"""Making a pool by scanning: a proposal, the boxes, and the label that closes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.commands import Command, command_of
from lims.domain.lifecycle import TubeKind
from lims.domain.pooling.assigning import Assignment, Risk, assign_pools
from lims.domain.refusals import (
    AlreadyInPool,
    BarcodeTaken,
    DifferentBody,
    PoolAboveValidated,
    PoolFull,
    PoolHasResults,
    PoolOfPools,
    Refusal,
    TubeHasOwnTest,
    TubeRejected,
    TubeStillOpen,
    TubeTwiceInPool,
    UnknownBarcode,
)
from lims.doors.statuses import status_of
from lims.tables import Site
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.web.pools.blueprint import BENCH, blueprint
from lims.web.transaction import in_transaction
from lims.work.pool import PoolRequest, make_pool, not_received
from lims.work.validation_panel import most_to_a_pool, validated_pool
from lims.work.views import pool_view, reception
from lims.work.views.reception import DoorTube, Step

MOST_SOURCES: Final = 100


@dataclass(frozen=True)
class PoolDraft:
    """A pool being made at the bench; its tubes stand in front of the person, not in a row yet."""

    pool_id: UUID
    barcode: str = ""
    sources: tuple[str, ...] = ()
    campaign: str = ""
    planned: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Hidden fields beside the scan field."""
        said = {"pool_id": str(self.pool_id), "barcode": self.barcode, "campaign": self.campaign}
        fields = [(name, value) for name, value in said.items() if value]
        fields += [("planned", barcode) for barcode in self.planned]
        return [*fields, *(("source", source) for source in self.sources)]

    @property
    def to_fetch(self) -> list[str]:
        """What the proposal names and nobody has scanned yet."""
        return [barcode for barcode in self.planned if barcode not in self.sources]


@blueprint.get("/new")
@needs(*BENCH)
def new() -> str:
    """An empty rack of boxes; from a proposal, with the tubes to fetch."""
    asked = request.args
    planned = tuple(barcodes.normalise(one) for one in asked.getlist("planned")[:MOST_SOURCES])
    return _making(PoolDraft(uuid7(), campaign=asked.get("campaign", ""), planned=planned))


@blueprint.get("/proposed")
@needs(*BENCH)
def proposed() -> str:
    """Which tubes to put together: contacts first, whole households, the oldest first."""
    lab, chosen = laboratory(), chosen_uuid(request.args, "campaign")
    with lab.sessions.begin() as session:
        lines = pool_view.rack(session, site_id=lab.site_id)
        line = next((one for one in lines if one.campaign_id == chosen), None)
        most = most_to_a_pool(session, site_id=lab.site_id)
        size = min(line.pool_size, most) if line else most
        tubes = (
            pool_view.oldest_waiting(session, line.campaign_id, site_id=lab.site_id, now=now())
            if line
            else []
        )
    return render_template(
        "pools/proposed.html",
        line=line,
        rack=lines,
        assigned=assign_pools(tubes, size) if size > 1 else Assignment((), tuple(tubes)),
        size=size,
        contact=Risk.CONTACT,
    )


@blueprint.post("/new/scan")
@needs(*BENCH)
def scan() -> Response | str | tuple[str, int]:
    """A tube we know is one more source; a label nobody carries yet is the pool's own.

    The pool's label closes it, so that the hands stay on the scanner: at once when every box is
    filled, else when it is scanned a second time (the command card "A" does the same).
    """
    draft, text = _drafted(request.form), request.form.get("text", "")
    match command_of(text):
        case Command.UNDO:
            return _making(replace(draft, sources=draft.sources[:-1]))
        case Command.CLOSE:
            return _closed(draft)
        case None:
            pass
        case _:
            refusal = TubeStillOpen(came=draft.barcode, where="pool")
            return _making(draft, refused=told(refusal)), int(status_of(TubeStillOpen))
    try:
        following = _with_scan(draft, barcodes.parse(text))
    except Refusal as refusal:
        return _making(draft, refused=told(refusal)), int(status_of(type(refusal)))
    if following.sources == draft.sources and _closes(draft, following):
        return _make(following)
    return _making(following)


@blueprint.post("/new/undo")
@needs(*BENCH)
def undo() -> str:
    """Without the last source."""
    draft = _drafted(request.form)
    return _making(replace(draft, sources=draft.sources[:-1]))


@blueprint.post("/new")
@needs(*BENCH)
def make() -> Response | tuple[str, int]:
    """Keep the pool and queue its test."""
    return _make(_drafted(request.form))


def _closes(draft: PoolDraft, following: PoolDraft) -> bool:
    """Whether this scan of the pool's label was its last word."""
    if draft.barcode == following.barcode:
        return len(draft.sources) >= 2
    with laboratory().sessions.begin() as session:
        return len(draft.sources) >= _places(session, draft)


def _closed(draft: PoolDraft) -> Response | str | tuple[str, int]:
    """The pool made by the command card; what it still lacks is said, and nothing of it is lost."""
    if not draft.barcode:
        flash(_("This pool has no label yet: scan a new label, then close it."), "careful")
    elif len(draft.sources) < 2:
        flash(
            _("Pool %(label)s is kept: scan two tubes at least into it.", label=draft.barcode),
            "careful",
        )
    else:
        return _make(draft)
    return _making(draft)


def _make(draft: PoolDraft) -> Response | tuple[str, int]:
    lab = laboratory()
    try:
        pool = PoolRequest(draft.pool_id, barcodes.parse(draft.barcode), draft.sources)
        receipt = in_transaction(
            lambda session: make_pool(
                session, pool, site_id=lab.site_id, by=current().actor, now=now()
            )
        )
    except Refusal as refusal:
        if isinstance(refusal, DifferentBody | BarcodeTaken):
            draft = replace(draft, pool_id=uuid7(), barcode="")
        return _making(draft, refused=told(refusal)), int(status_of(type(refusal)))
    return redirect(url_for("pools.made", barcode=receipt.barcode, campaign=draft.campaign), 303)


@blueprint.get("/made/<barcode>")
@needs(*BENCH)
def made(barcode: str) -> str:
    """The pool just made, large, and empty boxes for the next one."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        line = pool_view.pool(session, barcode, site_id=lab.site_id)
    return _making(PoolDraft(uuid7(), campaign=request.args.get("campaign", "")), made=line)


def _with_scan(draft: PoolDraft, barcode: str) -> PoolDraft:
    lab = laboratory()
    with lab.sessions.begin() as session:
        tube = reception.door_tube(session, barcode, site_id=lab.site_id)
        site = session.get_one(Site, lab.site_id)
        most, pools_of_pools = site.max_pool_size, site.pools_of_pools
        validated = validated_pool(session, site_id=lab.site_id)
    shown = barcodes.shown(barcode)
    if tube is None:
        if draft.barcode and draft.barcode != shown:
            raise UnknownBarcode(came=shown, where="sources")
        return replace(draft, barcode=shown)
    if barcode in draft.sources:
        raise TubeTwiceInPool(came=shown, where="sources")
    _refuse_unfit(tube, pools_of_pools=pools_of_pools)
    if validated is not None and len(draft.sources) >= validated:
        raise PoolAboveValidated(
            came=f"{len(draft.sources) + 1} tubes, at most {validated}", where="sources"
        )
    if len(draft.sources) >= most:
        raise PoolFull(came=shown, where="sources")
    return replace(draft, sources=(*draft.sources, barcode))


def _refuse_unfit(tube: DoorTube, *, pools_of_pools: bool) -> None:
    """Said at the scan, while the tube is in the hand; making the pool refuses all of it again."""
    shown = barcodes.shown(tube.barcode)
    match tube.step:
        case Step.DOOR:
            raise not_received(shown)
        case Step.REJECTED:
            raise TubeRejected(came=f"{shown}: {tube.reject_reason}", where="sources")
        case Step.POOLED:
            raise AlreadyInPool(came=shown, where="sources")
        case Step.RUN | Step.DONE if tube.kind is TubeKind.INDIVIDUAL:
            raise TubeHasOwnTest(came=shown, where="sources")
        case Step.DONE:
            raise PoolHasResults(came=shown, where="sources")
        case Step.RUN if not pools_of_pools:
            raise PoolOfPools(came=f"{shown} is a {tube.kind}", where="sources")
        case Step.RUN if not tube.queued:
            raise PoolHasResults(came=shown, where="sources")
        case _:
            return


def _drafted(form: "MultiDict[str, str]") -> PoolDraft:
    return PoolDraft(
        pool_id=chosen_uuid(form, "pool_id") or uuid7(),
        barcode=form.get("barcode", "").strip(),
        sources=tuple(
            barcodes.normalise(source) for source in form.getlist("source")[:MOST_SOURCES]
        ),
        campaign=form.get("campaign", ""),
        planned=tuple(
            barcodes.normalise(planned) for planned in form.getlist("planned")[:MOST_SOURCES]
        ),
    )


def _places(session: Session, draft: PoolDraft) -> int:
    """How many boxes: the campaign's pool size, within what the site allows."""
    lab = laboratory()
    most = most_to_a_pool(session, site_id=lab.site_id)
    sizes = {
        str(line.campaign_id): line.pool_size
        for line in pool_view.rack(session, site_id=lab.site_id)
    }
    wanted = sizes.get(draft.campaign) or next(iter(sizes.values()), 10)
    return max(min(wanted, most), len(draft.sources))


def _making(
    draft: PoolDraft, *, refused: Told | None = None, made: pool_view.PoolLine | None = None
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        places = _places(session, draft)
        rack = pool_view.rack(session, site_id=lab.site_id)
    return render_template(
        "pools/new.html",
        draft=draft,
        places=places,
        full=len(draft.sources) >= places,
        refused=refused,
        made=made,
        waiting=sum(line.tubes for line in rack),
    )
