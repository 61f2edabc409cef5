"""The positive list as a workbook: numbers of people stay text, a name is never a formula."""

from __future__ import annotations

from reports.positive_columns import columns, in_order
from reports.positive_list import PositiveList
from reports.positive_words import complete, of_when, plain, taken
from reports.saying import Saying
from reports.workbook import About, Sheet, workbook


def positive_xlsx(listed: PositiveList, saying: Saying) -> bytes:
    """One sheet; who took it and when stands on it and under every printed page."""
    shown = columns(listed)
    title = f"{plain(saying, 'title')} · {listed.team} · {of_when(listed, saying)}"
    destroy = plain(saying, "destroy") % saying.day(listed.destroy_by)
    said = (listed.site, taken(listed, saying), complete(listed, saying), destroy)
    who = " · ".join(filter(None, said))
    sheet = Sheet(
        plain(saying, "title"),
        [plain(saying, column.key) for column in shown],
        [[column.said(line, saying) for column in shown] for line in in_order(listed)],
        [column.width for column in shown],
        above=(title, who, plain(saying, "secret")),
        wide=True,
    )
    return workbook([sheet], About(title, listed.site, listed.made_at, foot=who))
