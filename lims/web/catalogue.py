"""Every sentence the HTML door can say, and those that still want their Vietnamese.

    python -m lims.web.catalogue              adds what is missing to messages.po, untranslated,
                                              and takes out of every file what nobody says any more
    python -m lims.web.catalogue handoff.po   adds it to that file of the same folder

Sentences are found where they stand: `_()`, `gettext()`, `ngettext()`, `later()` in lims/web and
its templates; the words of refusals and form faults, which pages say by name; and what single
rules expect and advise (`rule_sentences`).
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from lims.sheets.faults import CellFault, FileFault
from lims.sheets.sayings import TITLES
from lims.web.language import FOLDER
from lims.web.refusing import every_kind, title_words
from lims.web.rule_sentences import of_the_rules
from lims.work.access import Fault

DOOR: Final = Path(__file__).parent
VIETNAMESE: Final = FOLDER / "vi" / "LC_MESSAGES"
MessageId = str | tuple[str, ...]

_KEYWORDS: Final = {
    "_": None,
    "gettext": None,
    "later": None,
    "ngettext": (1, 2),
    "later_n": (1, 2),
}
_HEADER: Final = "# Vietnamese of the HTML door."
_CHANGING_HEADERS: Final = tuple(
    f'"{name}: '
    for name in (
        "Project-Id-Version",
        "Report-Msgid-Bugs-To",
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Language-Team",
        "Generated-By",
    )
)
_METHODS: Final = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS: Final = {"templates/**.html": {"encoding": "utf-8", "silent": "false"}}


def wanted() -> frozenset[MessageId]:
    """Every message id the door may look up; a pair is a sentence with a plural."""
    faults = (*Fault, *FileFault, *CellFault, *TITLES.values())
    return frozenset([*_in_the_source(), *_of_the_refusals(), *of_the_rules(), *map(str, faults)])


def existing() -> Catalog:
    """All Vietnamese catalogues as one."""
    joined = Catalog(locale="vi")
    for file in sorted(VIETNAMESE.glob("*.po")):
        for message in _read(file):
            joined[message.id] = message
    return joined


def missing() -> list[MessageId]:
    """Those without Vietnamese, in alphabetical order."""
    known = existing()
    return sorted((said for said in wanted() if not _translated(known, said)), key=str)


def _translated(catalogue: Catalog, said: MessageId) -> bool:
    message = catalogue.get(said)
    if message is None or message.fuzzy or (isinstance(said, tuple) and not message.pluralizable):
        return False
    texts = message.string if isinstance(message.string, tuple | list) else [message.string]
    return all(texts)


def _read(file: Path) -> list[Message]:
    if not file.exists():
        return []
    with file.open("rb") as source:
        return [message for message in read_po(source, locale="vi") if message.id]


def _written(catalogue: Catalog) -> bytes:
    """Sorted, without line numbers and dates: two people's additions merge."""
    whole = BytesIO()
    write_po(whole, catalogue, width=0, sort_output=True, no_location=True)
    lines = whole.getvalue().decode().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(_CHANGING_HEADERS)]
    return "".join(kept).encode()


def _in_the_source() -> Iterator[MessageId]:
    found = extract_from_dir(
        DOOR, method_map=_METHODS, options_map=_OPTIONS, keywords=_KEYWORDS, strip_comment_tags=True
    )
    for _file, _line, message, _comments, _context in found:
        yield message


def _of_the_refusals() -> Iterator[str]:
    for kind in every_kind():
        yield title_words(kind)
        yield from filter(None, (kind.expected, kind.todo))


def main(arguments: list[str]) -> int:
    """Brings the files up to date; says how many sentences still want their Vietnamese."""
    target = VIETNAMESE / (arguments[0] if arguments else "messages.po")
    said, lacking = wanted(), missing()
    for file in sorted({*VIETNAMESE.glob("*.po"), target}):
        catalogue = Catalog(locale="vi", header_comment=_HEADER, fuzzy=False)
        for message in _read(file):
            if message.id in said:
                catalogue[message.id] = message
        if file == target:
            for new in lacking:
                if new not in catalogue:
                    catalogue.add(new)
        file.write_bytes(_written(catalogue))
    sys.stdout.write(f"{len(lacking)} sentences without Vietnamese, see {target.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
