"""Where an assay's controls stand on a plate: the versions in force, a form for the next."""

from dataclasses import dataclass
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lims.db.ids import uuid7
from lims.domain.plates import ControlRole, ControlTemplate, PlateSize, parse_well
from lims.domain.refusals import InvalidBody, Malformed, NotAWell
from lims.web.access import current, needs
from lims.web.admin.blueprint import blueprint
from lims.web.admin.forms import chosen_id, kept
from lims.web.lab_words import control
from lims.web.language import gettext as _
from lims.web.language import laboratory, later, now
from lims.work.access import Role
from lims.work.control_templates import (
    ROLE_WORDS,
    STANDARD_ASSAY,
    add_template,
    retire_template,
)
from lims.work.views import control_template_list

NO_SUCH_WELL = later("a well that the plate has, as A01")
_FIELDS = {
    "negative": ControlRole.NEGATIVE,
    "positive": ControlRole.POSITIVE,
    "extraction": ControlRole.EXTRACTION,
}


@dataclass(frozen=True)
class Line:
    """One template as the page shows it: its wells by control."""

    template_id: UUID
    name: str
    version: int
    format: int
    wells: list[tuple[str, str]]
    runs: int
    retired: bool
    newest: bool


@blueprint.get("/control-templates", endpoint="control_templates")
@needs(Role.ADMIN, Role.OPERATOR)
def every() -> str:
    """The list, and the form for one more."""
    return _page({}, {})


@blueprint.post("/control-templates")
@needs(Role.ADMIN, Role.OPERATOR)
def add_controls() -> Response | tuple[str, int]:
    """A first version, or the next of a name that exists."""
    lab, form = laboratory(), request.form
    return kept(
        lambda session: add_template(
            session,
            chosen_id("template_id") or uuid7(),
            site_id=lab.site_id,
            name=form.get("name", ""),
            assay=STANDARD_ASSAY,
            template=_typed_template(),
            by=current().actor,
            now=now(),
        ),
        page=_page,
        to="admin.control_templates",
        said=_("Plates can be laid out by it from now on."),
    )


@blueprint.post("/control-templates/<uuid:template_id>/retire")
@needs(Role.ADMIN, Role.OPERATOR)
def retire_controls(template_id: UUID) -> Response:
    """No new plate is laid out by it; runs that were keep it."""
    lab = laboratory()
    try:
        with lab.sessions.begin() as session:
            retire_template(
                session, template_id, site_id=lab.site_id, by=current().actor, now=now()
            )
    except InvalidBody:
        flash(_("It is the last one for this plate: add the next one first."), "bad")
        return redirect(url_for("admin.control_templates"), 303)
    flash(_("Retired; runs that were laid out by it keep it."), "good")
    return redirect(url_for("admin.control_templates"), 303)


def _typed_template() -> ControlTemplate:
    """Raises InvalidBody with the fault beside the field that has it."""
    form = request.form
    size = PlateSize.WELLS_384 if form.get("format") == "384" else PlateSize.WELLS_96
    controls: list[tuple[str, ControlRole]] = []
    for field, role in _FIELDS.items():
        for text in form.get(field, "").replace(",", " ").replace(";", " ").split():
            try:
                controls.append((parse_well(text, size), role))
            except NotAWell as refusal:
                raise _fault(field, NO_SUCH_WELL, text) from refusal
    try:
        return ControlTemplate(tuple(controls), size)
    except Malformed as refusal:
        raise _fault("negative", refusal.expected, refusal.came) from refusal


def _fault(field: str, detail: str, came: str) -> InvalidBody:
    return InvalidBody(
        errors=[{"pointer": f"#/{field}", "detail": detail}], where=field, came=came[:40]
    )


def _page(typed: dict[str, str], faults: dict[str, str]) -> str:
    lab = laboratory()
    with lab.sessions.begin() as session:
        templates = control_template_list.every_template(
            session, site_id=lab.site_id, assay=STANDARD_ASSAY
        )
    return render_template(
        "admin/control_templates.html",
        lines=[
            Line(
                template_id=one.template_id,
                name=one.name,
                version=one.version,
                format=one.format,
                wells=_by_control(one.controls),
                runs=one.runs,
                retired=one.retired_at is not None,
                newest=one.newest,
            )
            for one in templates
        ],
        template_id=typed.get("template_id") or uuid7(),
        typed=typed,
        faults=faults,
    )


def _by_control(controls: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    """("NTC", "O23, P23"), in the order NTC, PC, EC."""
    return [
        (control(ROLE_WORDS[role]), ", ".join(wells))
        for role in _FIELDS.values()
        if (wells := [well for well, word in controls if word == ROLE_WORDS[role]])
    ]
