"""A profile's TOML, field by field: every fault is told at once, with its place, what was expected
and what came. A key that is not known is a fault too: it is a misspelt one, and would be silent.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class BadProfile(ValueError):
    """The file is no profile. `faults` are for a person, one a line."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(slots=True)
class Section:
    """One table of the file. `faults` and `sections` are one list each, shared by the file's."""

    name: str
    body: Mapping[str, Any]
    faults: list[str] = field(default_factory=list)
    sections: list["Section"] = field(default_factory=list)
    read: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sections.append(self)

    def text(self, key: str, *, needed: bool = False, among: Iterable[str] = ()) -> str | None:
        """A text that says something, or None where there is none."""
        value = self._value(key, needed=needed)
        if value is None:
            return None
        if not isinstance(value, str) or not value:
            self._fault(key, "a text in quotes", value)
            return None
        if among and value not in among:
            self._fault(key, " or ".join(f'"{each}"' for each in among), value)
            return None
        return value

    def truth(self, key: str) -> bool:
        value = self._value(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._fault(key, "true or false", value)
        return False

    def number(self, key: str, *, default: int, among: Iterable[int]) -> int:
        value = self._value(key)
        if value is None:
            return default
        if isinstance(value, bool) or value not in among:
            self._fault(key, " or ".join(map(str, among)), value)
            return default
        return int(value)

    def texts(self, key: str, *, needed: bool = False, numbers: bool = False) -> tuple[str, ...]:
        """One text or a list of them; with `numbers`, a number counts as its text."""
        value = self._value(key, needed=needed)
        if value is None:
            return ()
        kinds = (str, int, float) if numbers else (str,)
        each = value if isinstance(value, list) else [value]
        if not each or any(isinstance(one, bool) or not isinstance(one, kinds) for one in each):
            more = " or numbers" if numbers else ""
            self._fault(key, f"a text or a list of texts{more}", value)
            return ()
        return tuple(str(one) for one in each)

    def lists(self, keys: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
        """Every key of the section as `texts`; `keys` are the ones there may be."""
        known = [*self.body] if keys is None else [*keys]
        return {key: self.texts(key) for key in known}

    def section(self, key: str) -> "Section":
        """An empty one where there is none."""
        value = self._value(key)
        if value is not None and not isinstance(value, Mapping):
            self._fault(key, f"a section [{self._at(key)}]", value)
            value = None
        return Section(self._at(key), value or {}, self.faults, self.sections)

    def close(self) -> None:
        """Nothing more is read of the file: what was not asked for is not known."""
        for section in self.sections:
            for key in sorted(section.body.keys() - section.read):
                known = ", ".join(sorted(section.read)) or "nothing"
                self.faults.append(f"{section._at(key)}: not known here; known are {known}")

    def fault(self, key: str, expected: str) -> None:
        self.faults.append(f"{self._at(key)}: {expected}")

    def _value(self, key: str, *, needed: bool = False) -> Any:
        self.read.add(key)
        if needed and key not in self.body:
            self.faults.append(f"{self._at(key)}: missing")
        return self.body.get(key)

    def _fault(self, key: str, expected: str, came: object) -> None:
        self.faults.append(f"{self._at(key)}: expected {expected}, came {str(came)[:60]!r}")

    def _at(self, key: str) -> str:
        return f"{self.name}.{key}" if self.name else key


def opened(content: bytes) -> Section:
    """Raises `BadProfile` where it is no TOML."""
    try:
        return Section("", tomllib.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise BadProfile([f"the file is not UTF-8: {error}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise BadProfile([f"the file is not TOML: {error}"]) from error
