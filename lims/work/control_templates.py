"""Where an assay's controls stand on a plate: added as versions, chosen for a run, never edited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from lims.db.ids import uuid7
from lims.domain import plates
from lims.domain.interpretation import rule_in_force
from lims.domain.plates import STANDARD_CONTROLS, ControlRole, PlateSize
from lims.domain.refusals import DifferentBody, InvalidBody, NotFound
from lims.tables import ControlTemplate, ControlTemplateWell
from lims.work.audit import record
from lims.work.once import one_at_a_time

ROLE_WORDS = {
    ControlRole.NEGATIVE: "negative_control",
    ControlRole.POSITIVE: "positive_control",
    ControlRole.EXTRACTION: "extraction_control",
}
ROLES = {word: role for role, word in ROLE_WORDS.items()}
STANDARD_NAME = "Standard"
STANDARD_ASSAY = "sars-cov-2"
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """A stored template: what a run says it was laid out by."""

    template_id: UUID
    name: str
    version: int
    assay: str
    template: plates.ControlTemplate


def add_template(
    session: Session,
    template_id: UUID,
    *,
    site_id: UUID,
    name: str,
    assay: str,
    template: plates.ControlTemplate,
    by: str,
    now: datetime,
) -> NamedTemplate:
    """The first version of a name, or the next one of a name that exists. Again: the same.

    Raises InvalidBody (no name), NotFound (no such assay), DifferentBody.
    """
    rule_in_force(assay)
    called = _called(name)
    one_at_a_time(session, template_id)
    earlier = read_template(session, template_id, site_id=site_id)
    if earlier is not None:
        if (earlier.name, earlier.assay, earlier.template) != (called, assay, _sorted(template)):
            raise DifferentBody(came=f"another template under {template_id}", where="template_id")
        return earlier
    _store(
        session,
        template_id,
        site_id=site_id,
        name=called,
        version=_next_version(session, called, assay, template.size, site_id=site_id),
        assay=assay,
        template=template,
        by=by,
        now=now,
    )
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="add_control_template",
        subject=str(template_id),
        now=now,
        name=called,
        format=int(template.size),
        controls={well: ROLE_WORDS[role] for well, role in template.controls},
    )
    session.flush()
    return _read(session, template_id)


def _called(name: str) -> str:
    """The name, its spaces evened out. Raises InvalidBody."""
    called = " ".join(name.split())
    if not 1 <= len(called) <= _LONGEST_NAME:
        raise InvalidBody(
            errors=[{"pointer": "#/name", "detail": "1 to 80 characters, as the bench calls it"}],
            where="name",
            came=called[:20] or "nothing",
        )
    return called


def _next_version(
    session: Session, name: str, assay: str, size: PlateSize, *, site_id: UUID
) -> int:
    """Locks the site: two people who add a version at once get two versions."""
    session.execute(
        text("SELECT id FROM site WHERE id = :site FOR NO KEY UPDATE"), {"site": site_id}
    )
    newest = select(func.coalesce(func.max(ControlTemplate.version), 0)).where(
        ControlTemplate.site_id == site_id,
        ControlTemplate.assay_code == assay,
        ControlTemplate.format == int(size),
        ControlTemplate.name == name,
    )
    return session.scalars(newest).one() + 1


def retire_template(
    session: Session, template_id: UUID, *, site_id: UUID, by: str, now: datetime
) -> None:
    """No plate is laid out by it any more; runs that were keep it. Again changes nothing.

    Raises NotFound, InvalidBody (it is the last one of its assay and format).
    """
    row = session.scalars(
        select(ControlTemplate)
        .where(ControlTemplate.id == template_id, ControlTemplate.site_id == site_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise NotFound(came=str(template_id), where="template_id")
    if row.retired_at is not None:
        return
    others = [
        one
        for one in templates_in_force(session, site_id=site_id, assay=row.assay_code)
        if one.template.size == row.format and one.template_id != template_id
    ]
    if not others:
        raise InvalidBody(
            errors=[
                {"pointer": "#/template", "detail": "it is the last one: add the next one first"}
            ],
            where="template",
            came=row.name,
        )
    row.retired_at = now
    record(
        session,
        site_id=site_id,
        actor=by,
        verb="retire_control_template",
        subject=str(template_id),
        now=now,
        name=row.name,
        version=row.version,
    )


def found_templates(session: Session, *, site_id: UUID, by: str, now: datetime) -> None:
    """The standard templates of a new laboratory, one for each format."""
    for template in STANDARD_CONTROLS:
        _store(
            session,
            uuid7(),
            site_id=site_id,
            name=STANDARD_NAME,
            version=1,
            assay=STANDARD_ASSAY,
            template=template,
            by=by,
            now=now,
        )


def chosen_template(
    session: Session,
    template_id: UUID | None,
    *,
    site_id: UUID,
    assay: str,
    size: PlateSize,
) -> NamedTemplate:
    """The template named, or the newest version of the assay's first name for this format.

    Raises NotFound (none, or retired), InvalidBody (it is for another assay or format).
    """
    rule_in_force(assay)
    offered = [
        one
        for one in templates_in_force(session, site_id=site_id, assay=assay)
        if one.template.size == size
    ]
    if template_id is None:
        if not offered:
            raise NotFound(
                expected="a control template for this assay and plate",
                came=f"{assay}, {int(size)} wells",
                where="template",
                todo="ask an operator to add one under control templates",
            )
        return offered[0]
    for one in offered:
        if one.template_id == template_id:
            return one
    known = read_template(session, template_id, site_id=site_id)
    if known is None or (known.assay, known.template.size) == (assay, size):
        raise NotFound(
            expected="a control template that is in force",
            came=str(template_id),
            where="template",
            todo="choose another one; this one was retired or is not of this laboratory",
        )
    raise InvalidBody(
        errors=[{"pointer": "#/template", "detail": "it is for another assay or another plate"}],
        where="template",
        came=f"{known.name}: {known.assay}, {int(known.template.size)} wells",
    )


def templates_in_force(session: Session, *, site_id: UUID, assay: str) -> list[NamedTemplate]:
    """The newest version of every name that is not retired, the first name of a format first."""
    rows = session.execute(_IN_FORCE, {"site": site_id, "assay": assay})
    return [_read(session, row.id) for row in rows]


def read_template(session: Session, template_id: UUID, *, site_id: UUID) -> NamedTemplate | None:
    """One template, retired or not; None when the site has none of this id."""
    known = session.get(ControlTemplate, template_id)
    if known is None or known.site_id != site_id:
        return None
    return _read(session, template_id)


def template_of(
    name_of_wells: Iterable[tuple[str, str]], size: PlateSize
) -> plates.ControlTemplate:
    """From stored (position, role) pairs."""
    return plates.ControlTemplate(
        tuple((well, ROLES[role]) for well, role in sorted(name_of_wells)), size
    )


def _sorted(template: plates.ControlTemplate) -> plates.ControlTemplate:
    return plates.ControlTemplate(tuple(sorted(template.controls, key=_well)), template.size)


def _well(control: tuple[str, ControlRole]) -> str:
    return control[0]


def _read(session: Session, template_id: UUID) -> NamedTemplate:
    row = session.get_one(ControlTemplate, template_id)
    stored = session.execute(
        select(ControlTemplateWell.position, ControlTemplateWell.role).where(
            ControlTemplateWell.template_id == template_id
        )
    )
    template = template_of(((well.position, well.role) for well in stored), PlateSize(row.format))
    return NamedTemplate(row.id, row.name, row.version, row.assay_code, template)


def _store(
    session: Session,
    template_id: UUID,
    *,
    site_id: UUID,
    name: str,
    version: int,
    assay: str,
    template: plates.ControlTemplate,
    by: str,
    now: datetime,
) -> None:
    session.add(
        ControlTemplate(
            id=template_id,
            site_id=site_id,
            assay_code=assay,
            format=int(template.size),
            name=name,
            version=version,
            created_at=now,
            created_by=by,
        )
    )
    session.flush()
    session.add_all(
        ControlTemplateWell(
            template_id=template_id,
            position=well,
            format=int(template.size),
            role=ROLE_WORDS[role],
        )
        for well, role in template.controls
    )
    session.flush()


_IN_FORCE = text("""
SELECT id FROM (
    SELECT DISTINCT ON (format, name) id, format, name, version,
           min(created_at) OVER (PARTITION BY format, name) AS first_at
    FROM control_template
    WHERE site_id = :site AND assay_code = :assay AND retired_at IS NULL
    ORDER BY format, name, version DESC
) newest
ORDER BY format, first_at, name
""")
