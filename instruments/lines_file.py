"""`gateway.toml`: all lines of one gateway, checked whole before anything is opened.

name = "lab-1"                                  # how the LIMS shows it; else the host's name
post = "https://lims.example/api/v1/messages"
token_file = "token"                            # paths are beside this file
spool = "/var/spool/lims-gateway"               # each line keeps its folder in it
sites = ["TT"]                                  # our barcodes begin so: their check is verified;
                                                # also of a line, [] for none
[[line]]
instrument = "GX-1"                             # as set up in the LIMS
driver = "genexpert"                            # or, in its place,
profile = "my-machine.toml"                     # what this laboratory wrote of the machine
link = "/dev/serial/by-id/usb-FTDI_…"           # or rfc2217:// socket:// listen://, or a folder
baud = 9600
idle_timeout_s = 30
settle_s = 10                                   # of a folder: until a file is taken as whole
silent_after_min = 240                          # without a byte the line is shown as silent
host_query = true                               # it asks what to measure; answered from the LIMS
tests = {sars-cov-2 = "COV2"}                   # with host_query: our assay = its own test code
spool = "…"                                     # if not its own folder under the common one
"""

import socket
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from instruments.astm.frames import IDLE_TIMEOUT_S
from instruments.files.watch import SETTLE_S
from instruments.folder_line import folder_of
from instruments.lims_door import require_address
from instruments.lims_orders import tests_asked
from instruments.line_driver import LineDriver, NoSuchDriver, line_driver
from instruments.link import opener
from instruments.station import SILENT_AFTER_S, LineSettings

LONGEST_NAME: Final = 60  # as the LIMS allows
MOST_LINES: Final = 256  # in a heartbeat
_SPEEDS: Final = frozenset({300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400})
_TOP: Final = frozenset({"name", "post", "token_file", "spool", "sites", "line"})
_LINE: Final = frozenset(
    {
        "instrument",
        "driver",
        "profile",
        "sites",
        "link",
        "spool",
        "baud",
        "idle_timeout_s",
        "silent_after_min",
        "settle_s",
        "host_query",
        "tests",
    }
)


class LinesRefused(ValueError):
    """The file says no gateway. Every fault that was found, one a line."""

    def __init__(self, path: Path, faults: list[str]) -> None:
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """What one process does."""

    name: str
    post: str
    token_file: Path
    lines: tuple[LineSettings, ...]


def read_lines(path: Path) -> GatewaySettings:
    """Raises LinesRefused with everything that is wrong, or OSError."""
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LinesRefused(path, [f"no TOML: {error}"]) from error
    reading = _Reading(path.resolve().parent)
    settings = reading.gateway(said)
    if reading.faults:
        raise LinesRefused(path, reading.faults)
    return settings


class _Reading:
    """Collects faults, so that a person corrects the file once."""

    def __init__(self, beside: Path) -> None:
        self._beside = beside
        self._said: dict[str, list[str]] = {"instrument": [], "spool": [], "link": []}
        self.faults: list[str] = []

    def gateway(self, said: Mapping[str, Any]) -> GatewaySettings:
        self._known(said, _TOP, "")
        post = self._text(said, "post", "")
        self._check_post(post)
        lines = said.get("line")
        if not isinstance(lines, list) or not lines:
            self.faults.append("expected at least one [[line]]")
            lines = []
        elif len(lines) > MOST_LINES:
            self.faults.append(f"at most {MOST_LINES} lines, came {len(lines)}")
        root = self._optional(said, "spool", "")
        sites = self._texts(said, "sites", "")
        told = (self._line(line, f"line {n}: ", root, sites) for n, line in enumerate(lines, 1))
        read = [line for line in told if line]
        for what, values in self._said.items():
            self._each_once(what, values)
        return GatewaySettings(
            name=(self._optional(said, "name", "") or socket.gethostname())[:LONGEST_NAME],
            post=post,
            token_file=self._beside / self._text(said, "token_file", ""),
            lines=tuple(read),
        )

    def _line(
        self, said: Any, where: str, root: str | None, sites: tuple[str, ...]
    ) -> LineSettings | None:
        """None where its driver is not known."""
        if not isinstance(said, dict):
            self.faults.append(f"{where}expected [[line]], came {said!r}")
            said = {}
        self._known(said, _LINE, where)
        instrument = self._text(said, "instrument", where)
        if len(instrument) > LONGEST_NAME:
            self.faults.append(f"{where}instrument: at most {LONGEST_NAME} characters")
        where = f"{where}{instrument}: " if instrument else where
        reads = self._driver(said, where, sites)
        baud = round(self._number(said, "baud", where, 9600))
        if baud not in _SPEEDS:
            self.faults.append(f"{where}baud: {baud} is no speed of a serial line")
        link = self._text(said, "link", where)
        self._check_link(link, reads, where)
        silent_min = self._number(said, "silent_after_min", where, SILENT_AFTER_S / 60)
        spool = self._spool_of(said, instrument, where, root)
        idle_timeout_s = self._number(said, "idle_timeout_s", where, IDLE_TIMEOUT_S)
        settle_s = self._number(said, "settle_s", where, SETTLE_S)
        tests = self._tests(said, where, reads)
        self._said["instrument"].append(instrument)
        self._said["link"].append(link)
        if instrument or "spool" in said:
            self._said["spool"].append(str(spool))
        if reads is None:
            return None
        return LineSettings(
            instrument=instrument,
            reads=reads,
            link=link,
            spool=spool,
            baud=baud,
            idle_timeout_s=idle_timeout_s,
            silent_after_s=60 * silent_min,
            settle_s=settle_s,
            tests=tests,
        )

    def _check_post(self, post: str) -> None:
        if not post:
            return
        try:
            require_address(post)
        except ValueError as error:
            self.faults.append(f"post: {error}")

    def _driver(
        self, said: Mapping[str, Any], where: str, sites: tuple[str, ...]
    ) -> LineDriver | None:
        if not {"driver", "profile"} & said.keys():
            self.faults.append(f"{where}driver: missing; or profile")
            return None
        name = self._optional(said, "driver", where)
        profile = self._optional(said, "profile", where)
        own = self._texts(said, "sites", where) if "sites" in said else sites
        try:
            return line_driver(name, self._beside / profile if profile else None, own)
        except NoSuchDriver as refused:
            self.faults += [f"{where}{fault}" for fault in refused.faults]
            return None

    def _tests(
        self, said: Mapping[str, Any], where: str, reads: LineDriver | None
    ) -> Mapping[str, str] | None:
        asks, tests = said.get("host_query", False), said.get("tests", {})
        if not isinstance(asks, bool):
            self.faults.append(f"{where}host_query: expected true or false, came {asks!r}")
            return None
        if not isinstance(tests, dict) or not all(isinstance(code, str) for code in tests.values()):
            self.faults.append(f'{where}tests: expected {{assay = "code"}}, came {tests!r}')
            return None
        try:
            return tests_asked(asks, tests, reads)
        except ValueError as error:
            self.faults.append(f"{where}{error}")
            return None

    def _check_link(self, link: str, reads: LineDriver | None, where: str) -> None:
        if not link:
            return
        try:
            if reads and reads.reads_files:
                folder_of(link)
            else:
                opener(link, 9600)
        except ValueError as error:
            self.faults.append(f"{where}link: {error}")

    def _spool_of(
        self, said: Mapping[str, Any], instrument: str, where: str, root: str | None
    ) -> Path:
        own = self._optional(said, "spool", where)
        if own:
            return (self._beside / own).resolve()
        if not root:
            self.faults.append(f"{where}spool: expected here or for all lines at the top")
        folder = quote(instrument, safe=" ").replace(" ", "_") or "_"
        return (self._beside / (root or "") / folder.replace(".", "%2E")).resolve()

    def _known(self, said: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        for key in sorted(set(said) - known):
            self.faults.append(f"{where}{key}: unknown; known are {', '.join(sorted(known))}")

    def _text(self, said: Mapping[str, Any], key: str, where: str) -> str:
        if key not in said:
            self.faults.append(f"{where}{key}: missing")
            return ""
        return self._optional(said, key, where) or ""

    def _optional(self, said: Mapping[str, Any], key: str, where: str) -> str | None:
        value = said.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self.faults.append(f"{where}{key}: expected text, came {value!r}")
            return None
        return value.strip()

    def _texts(self, said: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
        value = said.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.faults.append(f"{where}{key}: expected a list of texts, came {value!r}")
            return ()
        return tuple(value)

    def _number(self, said: Mapping[str, Any], key: str, where: str, default: float) -> float:
        value = said.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            self.faults.append(f"{where}{key}: expected a number above zero, came {value!r}")
            return default
        return float(value)

    def _each_once(self, what: str, values: list[str]) -> None:
        """Also of lines that have another fault."""
        counted = Counter(filter(None, values))
        for value, times in counted.items():
            if times > 1:
                self.faults.append(f"{times} lines with one {what}: {value}")
