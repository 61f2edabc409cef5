"""Who declared themselves before they came: found by their code or telephone, with their door."""

from collections.abc import Iterable
from dataclasses import dataclass

from lims.domain.asked import asked
from lims.domain.declarations import shown_code
from lims.domain.identity import name_key
from lims.domain.rapid_test import Exposure
from lims.web.access import current
from lims.web.collect.draft import Draft
from lims.web.language import gettext as _
from lims.web.language import laboratory, now
from lims.work.audit import record
from lims.work.views import desk
from lims.work.views.declared import DeclaredPerson, declared_of_code, declared_of_phone
from lims.work.views.desk import HouseholdKnown


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a text means; ``surely`` by a code of their own, not by a telephone."""

    people: tuple[DeclaredPerson, ...] = ()
    surely: bool = False


def expected_by(text: str) -> Meant:
    """By the code of a declaration, or by a telephone; nobody for any other text.

    Who asked for a telephone, and whom they were shown, is in the audit trail, as any search is.
    """
    lab, code, phone = laboratory(), shown_code(text), asked(text).phone
    if not (code or phone):
        return Meant()
    with lab.sessions.begin() as session:
        found = declared_of_code(session, code, site_id=lab.site_id) if code else ()
        if found or not phone:
            return Meant(found, surely=True)
        found = declared_of_phone(session, phone, site_id=lab.site_id)
        if found:
            record(
                session,
                site_id=lab.site_id,
                actor=current().actor,
                verb="search",
                subject="phone",
                now=now(),
                declared=[str(one.declared_id) for one in found],
            )
        return Meant(found)


def with_expected(draft: Draft, declared: DeclaredPerson) -> Draft:
    """The draft of somebody expected; known here, where their number is."""
    lab, number = laboratory(), declared.national_id
    with lab.statements() as session:
        known = desk.person_of_number(session, number, site_id=lab.site_id) if number else None
    return draft.with_declared(declared, known)


def beside(home: HouseholdKnown | None, expected: Iterable[DeclaredPerson]) -> list[DeclaredPerson]:
    """Those expected who are not shown already as known behind this door: by their number, or by
    name and birth, which behind one door is enough not to show somebody twice."""
    members = home.members if home else ()
    numbers = {one.national_id for one in members if one.national_id}
    names = {(name_key(one.name), one.birth_year) for one in members}
    return [
        one
        for one in expected
        if one.national_id not in numbers and (name_key(one.name), one.birth_year) not in names
    ]


def exposure_words(exposure: Exposure) -> str:
    """What somebody said that they were near, in this request's language; nothing for nothing."""
    return {
        Exposure.NONE: "",
        Exposure.FACTOR: _("was where cases are"),
        Exposure.CONTACT: _("contact of a case"),
    }[exposure]
