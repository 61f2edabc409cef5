"""The plate's barcode, by a declared order of places; where none has one, the file's name.

Nothing is cut out of a longer text unless a pattern was declared for it: a plate that the LIMS does
not know is shown there as unmatched and can be attached, a plate that was guessed cannot be seen.
"""

import re
from collections.abc import Iterable, Mapping

from instruments.drivers.words import plain, words
from instruments.files.export import Export

NOT_SAID = words("", "NA", "N/A", "None", "-")


def run_named(
    headers: Mapping[str, str], keys: Iterable[str], export: Export, *, endings: str = ""
) -> tuple[str, str]:
    """The barcode and where it stood. `headers` go by `plain` keys; `endings` is a pattern of what
    the vendor's program puts after a name when it exports."""
    for key in keys:
        value = headers.get(plain(key), "").strip()
        if plain(value) not in NOT_SAID:
            return value, key
    stem = re.sub(f"({endings})$", "", export.stem) if endings else export.stem
    return stem.strip() or export.stem, "the file's name"
