"""Parting a positive pool: another strategy with a reason, and pipetting what its strategy asks."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain import barcodes
from lims.domain.commands import Command, command_of
from lims.domain.lifecycle import SubPoolState, TubeKind
from lims.domain.pooling.choice import StrategyName
from lims.domain.refusals import (
    BarcodeTaken,
    DifferentBody,
    DrawsMissing,
    InvalidBody,
    NotFound,
    NotInThisSubPool,
    Refusal,
    SubPoolMade,
    SubPoolNotWanted,
    TubeStillOpen,
)
from lims.doors.statuses import status_of
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.person_form import chosen_uuid
from lims.web.language import gettext as _
from lims.web.language import laboratory, language, local, now
from lims.web.parting_words import position_words
from lims.web.pdf_answer import pdf_answer
from lims.web.shell import site_name
from lims.web.transaction import in_transaction
from lims.work.access import Fault, Role
from lims.work.aside import aside
from lims.work.prepare import PrepareRequest, prepare
from lims.work.resolve_pool import resolve_otherwise
from lims.work.views import pool_view, sub_pool_view
from lims.work.views.pool_view import PoolLine
from lims.work.views.sub_pool_view import SubPoolLine
from lims.work.views.tube_story import tube_story
from reports.pipetting import Destination, PipettingList, Transfer, pipetting_pdf, worklist_of

blueprint = Blueprint("preparing", __name__, url_prefix="/pools")
BENCH: Final = (Role.TECHNICIAN, Role.OPERATOR)
DECIDES: Final = (Role.TECHNICIAN, Role.REVIEWER, Role.OPERATOR)
MOST_DRAWS: Final = 100


@dataclass(frozen=True)
class Pipetting:
    """One sub-pool in front of the person: which, under which minted id, and what is drawn."""

    tube_id: UUID
    sub_pool_id: UUID | None = None
    drawn: tuple[str, ...] = ()

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Hidden fields beside the scan field."""
        fields = [("tube_id", str(self.tube_id))]
        if self.sub_pool_id is not None:
            fields.append(("sub_pool_id", str(self.sub_pool_id)))
        return [*fields, *(("drawn", barcode) for barcode in self.drawn)]


@blueprint.get("/<barcode>/prepare")
@needs(*BENCH)
def page(barcode: str) -> str:
    """What to draw into which new tube, one after the other."""
    return _page(barcode, Pipetting(uuid7(), chosen_uuid(request.args, "sub_pool_id")))


@blueprint.post("/<barcode>/prepare/scan")
@needs(*BENCH)
def scan(barcode: str) -> Response | str | tuple[str, int]:
    """A tube of the list is one draw done; a label nobody carries is the new tube's own."""
    at_work, text = _at_work(request.form), request.form.get("text", "")
    try:
        match command_of(text):
            case Command.UNDO:
                return _page(barcode, replace(at_work, drawn=at_work.drawn[:-1]))
            case None:
                return _scanned(barcode, at_work, barcodes.parse(text))
            case _:
                raise TubeStillOpen(came=barcodes.shown(barcode), where="sub_pool_id")
    except Refusal as refusal:
        if isinstance(refusal, SubPoolMade | SubPoolNotWanted | DifferentBody):
            at_work = Pipetting(uuid7())
        elif isinstance(refusal, BarcodeTaken):
            at_work = replace(at_work, tube_id=uuid7())
        return _page(barcode, at_work, refused=told(refusal)), int(status_of(type(refusal)))


@blueprint.post("/<barcode>/resolution")
@needs(*DECIDES)
def resolution(barcode: str) -> Response:
    """Resolve this pool another way from now on."""
    lab, form = laboratory(), request.form
    try:
        in_transaction(
            lambda session: resolve_otherwise(
                session,
                barcode,
                _strategy(form.get("strategy", "")),
                form.get("reason", ""),
                site_id=lab.site_id,
                by=current().actor,
                now=now(),
            )
        )
    except Refusal as refusal:
        said = told(refusal)
        flash(f"{said.title}. {said.todo}", "bad")
    else:
        flash(_("The pool is resolved this way from now on."), "good")
    return redirect(url_for("pools.pool", barcode=barcodes.normalise(barcode)), 303)


@blueprint.get("/<barcode>/pipetting.pdf")
@needs(*BENCH)
def on_paper(barcode: str) -> Response:
    """The list to tick by hand."""
    asked = _asked(barcode)
    return pdf_answer(aside(lambda: pipetting_pdf(asked)), name=f"pipetting-{asked.pool}")


@blueprint.get("/<barcode>/pipetting.csv")
@needs(*BENCH)
def for_the_robot(barcode: str) -> Response:
    """The worklist of a liquid handler; destinations have a barcode once it was scanned."""
    asked = _asked(barcode)
    response = make_response(worklist_of(asked))
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="pipetting-{asked.pool}.csv"'
    return response


def _scanned(barcode: str, at_work: Pipetting, scanned: str) -> Response | str:
    _pool, lines = _read(barcode)
    on = _on(lines, at_work)
    if on is None:
        raise SubPoolNotWanted(where=barcodes.shown(barcode))
    at_work = replace(at_work, sub_pool_id=on.id)
    sources = {draw.barcode for draw in on.draws}
    if scanned in sources:
        drawn = tuple(dict.fromkeys((*at_work.drawn, scanned)))
        return _page(barcode, replace(at_work, drawn=drawn))
    if any(draw.barcode == scanned for line in lines for draw in line.draws):
        raise NotInThisSubPool(came=barcodes.shown(scanned), where=on.position)
    missing = len(sources - set(at_work.drawn))
    if at_work.drawn and missing:
        raise DrawsMissing(came=f"{missing} of {len(sources)} not drawn", where=on.position)
    lab = laboratory()
    asked = PrepareRequest(at_work.tube_id, on.id, scanned)
    receipt = in_transaction(
        lambda session: prepare(session, asked, site_id=lab.site_id, by=current().actor, now=now())
    )
    flash(
        _(
            "%(what)s is %(label)s; its test is first in the queue.",
            what=position_words(receipt.position),
            label=barcodes.shown(receipt.barcode),
        ),
        "good",
    )
    return redirect(url_for("preparing.page", barcode=receipt.master), 303)


def _strategy(typed: str) -> StrategyName:
    try:
        return StrategyName(typed)
    except ValueError:
        raise InvalidBody(
            errors=[{"pointer": "#/strategy", "detail": Fault.RESOLUTION}],
            where="strategy",
            came=typed,
        ) from None


def _at_work(form: "MultiDict[str, str]") -> Pipetting:
    return Pipetting(
        tube_id=chosen_uuid(form, "tube_id") or uuid7(),
        sub_pool_id=chosen_uuid(form, "sub_pool_id"),
        drawn=tuple(barcodes.normalise(one) for one in form.getlist("drawn")[:MOST_DRAWS]),
    )


def _read(barcode: str) -> tuple[PoolLine, tuple[SubPoolLine, ...]]:
    lab, stored = laboratory(), barcodes.normalise(barcode)
    with lab.sessions.begin() as session:
        pool = pool_view.pool(session, stored, site_id=lab.site_id)
        if pool is None or pool.kind is not TubeKind.LAB_POOL or pool.master is not None:
            raise NotFound(came=barcode, where="pools")
        story = tube_story(session, stored, site_id=lab.site_id)
        return pool, sub_pool_view.sub_pools(session, story.tube_id)


def _on(lines: tuple[SubPoolLine, ...], at_work: Pipetting) -> SubPoolLine | None:
    """The one that was pointed at while it is wanted, else the next."""
    wanted = [line for line in lines if line.state is SubPoolState.WANTED]
    chosen = (line for line in wanted if line.id == at_work.sub_pool_id)
    return next(chosen, wanted[0] if wanted and at_work.sub_pool_id is None else None)


def _page(barcode: str, at_work: Pipetting, *, refused: Told | None = None) -> str:
    pool, lines = _read(barcode)
    on = _on(lines, at_work) or _on(lines, Pipetting(at_work.tube_id))
    if on is None or on.id != at_work.sub_pool_id:
        at_work = Pipetting(at_work.tube_id, on.id if on else None)
    return render_template(
        "pools/prepare.html",
        pool=pool,
        lines=lines,
        on=on,
        at_work=at_work,
        carried=at_work.carried,
        drawn=frozenset(at_work.drawn),
        refused=refused,
        position_words=position_words,
        left=sum(line.state is SubPoolState.WANTED for line in lines),
    )


def _asked(barcode: str) -> PipettingList:
    pool, lines = _read(barcode)
    return PipettingList(
        laboratory=site_name(),
        pool=pool.barcode,
        destinations=tuple(_destination(line) for line in lines if line.outcome is None),
        issued_at=local(now()),
        language=language(),
    )


def _destination(line: SubPoolLine) -> Destination:
    draws = (
        Transfer(d.place, d.pool_place, d.barcode, d.rack, d.rack_position, d.volume_ul)
        for d in line.draws
    )
    return Destination(line.position, line.barcode, tuple(draws))
