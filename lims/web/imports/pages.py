"""The pages of the lists: upload, columns, progress, the answer, and taking back."""

import re
from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.domain.refusals import InvalidBody, Refusal
from lims.doors.statuses import status_of
from lims.sheets.columns import Column, Mapped
from lims.sheets.sayings import TITLES
from lims.web.access import current, needs
from lims.web.answers import Told, told
from lims.web.collect.blueprint import DESK
from lims.web.collect.draft import kept_campaign
from lims.web.collect.person_form import chosen_uuid
from lims.web.imports.blueprint import blueprint
from lims.web.imports.wording import bad_words, common_words, kept_words, state_words
from lims.web.language import gettext as _
from lims.web.language import laboratory, ngettext, now
from lims.web.refusing import faults_of
from lims.web.transaction import in_transaction
from lims.work.imports.columns import confirm_columns, look_elsewhere
from lims.work.imports.undo import undo
from lims.work.imports.upload import take_file
from lims.work.views import desk
from lims.work.views.imports import (
    ImportedList,
    bad_lines,
    commonest_faults,
    imported_list,
    imported_lists,
)

Answer = str | Response | tuple[str, int]
SHOWN_ROWS: Final = 200
_LINE: Final = re.compile("[1-9][0-9]{0,5}")  # of a sheet of 100,000 lines and its titles
_NOBODY_CAME: Final = timedelta(seconds=20)


@blueprint.get("")
@needs(*DESK)
def page() -> str:
    """Where a list is uploaded, and those that were."""
    return _upload_page()


@blueprint.post("")
@needs(*DESK)
def upload() -> Answer:
    """Keep a file, or what was pasted. The same bytes again open the same list."""
    sent = request.files.get("file")
    pasted = request.form.get("rows", "")
    named = sent is not None and bool(sent.filename)
    raw = sent.read() if sent is not None and named else pasted.encode()
    name = str(sent.filename) if sent is not None and named else _("pasted.csv")
    campaign = chosen_uuid(request.form, "campaign")
    try:
        uploaded = in_transaction(
            lambda session: take_file(
                session,
                raw,
                file_name=name,
                campaign_id=campaign,
                ask_columns="ask" in request.form,
                site_id=laboratory().site_id,
                by=current().actor,
                now=now(),
            )
        )
    except Refusal as refusal:
        page = _upload_page(refused=told(refusal), pasted=pasted, campaign=campaign)
        return page, int(status_of(type(refusal)))
    if uploaded.replayed:
        flash(_("This very file was here before: this is what became of it."), "careful")
    return _to(uploaded.job_id)


@blueprint.get("/<uuid:job_id>")
@needs(*DESK)
def one(job_id: UUID) -> str:
    """One list: whatever comes next for it."""
    return _page(job_id)


@blueprint.post("/<uuid:job_id>/columns")
@needs(*DESK)
def columns(job_id: UUID) -> Answer:
    """Say what the columns hold; registering then begins."""
    chosen = _chosen()
    try:
        in_transaction(
            lambda session: confirm_columns(
                session,
                job_id,
                chosen,
                site_id=laboratory().site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(job_id, chosen=chosen, faults=faults_of(refusal)), 422
    return _to(job_id)


@blueprint.post("/<uuid:job_id>/look")
@needs(*DESK)
def look(job_id: UUID) -> Answer:
    """Read the file again, from another sheet or another line of headings."""
    line = request.form.get("line", "")
    in_transaction(
        lambda session: look_elsewhere(
            session,
            job_id,
            sheet=request.form.get("sheet"),
            heading_line=int(line) if _LINE.fullmatch(line) else None,
            site_id=laboratory().site_id,
        )
    )
    return _to(job_id)


@blueprint.post("/<uuid:job_id>/undo")
@needs(*DESK)
def take_back(job_id: UUID) -> Answer:
    """Take the list back, with the reason, once it was said twice that this is meant."""
    reason = request.form.get("reason", "").strip()
    if "sure" not in request.form:
        fault = {"sure": _("tick the box: everybody of this list is taken back")}
        return _page(job_id, faults=fault, reason=reason), 422
    try:
        undone = in_transaction(
            lambda session: undo(
                session,
                job_id,
                reason,
                site_id=laboratory().site_id,
                by=current().actor,
                now=now(),
            )
        )
    except InvalidBody as refusal:
        return _page(job_id, faults=faults_of(refusal), reason=reason), 422
    said = ngettext("%(num)s person taken back", "%(num)s people taken back", undone.taken_back)
    flash(said, "careful" if undone.kept else "good")
    return _to(job_id)


def _to(job_id: UUID) -> Response:
    return redirect(url_for("imports.one", job_id=job_id), 303)


def _chosen() -> Mapped:
    """What was chosen for each column of the file, from the left."""
    said = [
        request.form[f"column-{n}"]
        for n in range(len(request.form))
        if f"column-{n}" in request.form
    ]
    return tuple(Column(one) if one in set(Column) else None for one in said)


def _upload_page(
    *, refused: Told | None = None, pasted: str = "", campaign: UUID | None = None
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        campaigns = desk.open_campaigns(session, site_id=lab.site_id)
        lists = imported_lists(session, site_id=lab.site_id)
    return render_template(
        "imports/upload.html",
        campaigns=[(one.campaign_id, one.name) for one in campaigns],
        campaign=campaign
        or kept_campaign()
        or (campaigns[0].campaign_id if len(campaigns) == 1 else ""),
        lists=lists,
        pasted=pasted,
        refused=refused,
        state_words=state_words,
    )


def _page(
    job_id: UUID,
    *,
    chosen: Mapped | None = None,
    faults: dict[str, str] | None = None,
    reason: str = "",
) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        found = imported_list(session, job_id, site_id=lab.site_id)
        bad = bad_lines(session, job_id, most=SHOWN_ROWS) if found.rows_bad else []
        common = commonest_faults(session, job_id) if found.rows_bad else []
    return render_template(
        "imports/list.html",
        list=found,
        bad=[(line, bad_words(line, found)) for line in bad],
        common=[(common_words(wrong, found), lines) for wrong, lines in common],
        shown=SHOWN_ROWS,
        chosen=chosen if chosen is not None else found.mapped,
        faults=faults or {},
        reason=reason,
        titles=[(column.value, _(title)) for column, title in TITLES.items()],
        nobody_came=_nobody_came(found),
        state_words=state_words,
        kept_words=kept_words,
        Column=Column,
    )


def _nobody_came(found: ImportedList) -> bool:
    """True when no worker seems to run: then the page says who starts one."""
    waits = found.state in ("uploaded", "queued")
    return waits and now() - found.uploaded_at > _NOBODY_CAME
