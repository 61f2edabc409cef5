"""The bad rows as the file they came in, and an empty list to fill in."""

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote
from uuid import UUID

from flask import make_response
from gevent import get_hub
from gevent.monkey import is_module_patched
from werkzeug.wrappers import Response

from lims.domain.refusals import NotFound
from lims.sheets.blank import blank_list
from lims.sheets.opened import Format
from lims.sheets.sayings import TITLES, line_words
from lims.sheets.written import write
from lims.web.access import current, needs
from lims.web.collect.blueprint import DESK
from lims.web.imports.blueprint import blueprint
from lims.web.imports.wording import wrong_heading
from lims.web.language import gettext as _
from lims.web.language import laboratory, language, now, words
from lims.work.audit import record
from lims.work.views.imports import bad_lines, imported_list

T = TypeVar("T")

_TYPES: Final = {
    Format.CSV: "text/csv",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@blueprint.get("/<uuid:job_id>/bad")
@needs(*DESK)
def bad(job_id: UUID) -> Response:
    """The same columns, order, text and encoding, and a last column that says what is wrong. They
    are people's rows: taking them along is recorded."""
    lab = laboratory()
    with lab.sessions.begin() as session:
        found = imported_list(session, job_id, site_id=lab.site_id)
        lines = bad_lines(session, job_id)
        if found.outline is None or not lines:
            raise NotFound(came=str(job_id), where="bad rows")
        record(
            session,
            site_id=lab.site_id,
            actor=current().actor,
            verb="download_bad_rows",
            subject=str(job_id),
            now=now(),
            rows=len(lines),
        )
    outline, heading, say = found.outline, wrong_heading(), words(language()).gettext

    def written() -> bytes:
        rows = (
            (line.cells, line_words(line.wrong, found.words, found.mapped, say)) for line in lines
        )
        return write(outline.dialect, found.words, rows, wrong=heading, sheet=outline.sheet)

    stem = found.file_name.rpartition(".")[0] or found.file_name
    kind, suffix = outline.dialect.format, _("to correct")
    return _file(_aside(written), f"{stem} - {suffix}.{kind}", _TYPES[kind])


@blueprint.get("/blank.xlsx")
@needs(*DESK)
def blank() -> Response:
    """Headings that are understood, in columns that keep noughts."""
    headings = {column: _(title) for column, title in TITLES.items()}
    return _file(blank_list(headings), _("list.xlsx"), _TYPES[Format.XLSX])


def _file(content: bytes, name: str, kind: str) -> Response:
    response = make_response(content)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return response


def _aside(work: Callable[[], T]) -> T:
    """On a real thread, so that the other pages of this process go on meanwhile: a hundred
    thousand rows take seconds to write."""
    if not is_module_patched("threading"):
        return work()
    done: T = get_hub().threadpool.apply(work)
    return done
