"""A GeneXpert on a pseudo-terminal that asks before it measures. Its end of the line is written
here once more, plainly: it shares no state machine with the gateway."""

import os
import select
import time
import tty
from collections.abc import Callable
from pathlib import Path

from tests.until import WITHIN_S

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
QUIET_S = 1.0  # a host that has something to say says it within a turn of the line
HEAD = r"H|@^\|Q-1||GeneXpert PC^GeneXpert^6.5|||||LIS||P|1394-97|20211121081200"


def asks_for(*specimens: str) -> list[str]:
    """The records of a question; of no specimen, for everything."""
    what = "@".join(f"^{each}" for each in specimens) or "ALL"
    return [HEAD, f"Q|1|{what}||||||||||O@N", "L|1|N"]


class Xpert:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        place.symlink_to(os.ttyname(self._slave))

    def close(self) -> None:
        self._place.unlink()  # as udev does; else it would lead to whose terminal is N next
        os.close(self._master)
        os.close(self._slave)

    def says(
        self,
        *records: str,
        on_the_wire: Callable[[bytes], bytes] = lambda body: body,
        again_as: Callable[[bytes], bytes] | None = None,
    ) -> None:
        """One session, acknowledged to its end. `on_the_wire`: what becomes of a frame's body after
        its sum was made. `again_as`: the first frame comes once more, so, and is refused."""
        self._write(ENQ)
        self._must_hear(ACK)
        text = "".join(f"{record}\r" for record in records).encode()
        pieces = [text[at : at + 240] for at in range(0, len(text), 240)]
        for number, piece in enumerate(pieces, 1):
            end = b"\x03" if number == len(pieces) else b"\x17"
            body = b"%d%b%b" % (number % 8, piece, end)
            self._write(b"\x02%b%02X\r\n" % (on_the_wire(body), sum(body) % 256))
            self._must_hear(ACK)
            if again_as and number == 1:
                other = again_as(body)
                self._write(b"\x02%b%02X\r\n" % (other, sum(other) % 256))
                self._must_hear(NAK)
        self._write(EOT)

    def hears(self) -> list[str]:
        """The records of the host's next session."""
        self._must_hear(ENQ)
        self._write(ACK)
        text = b""
        while (heard := self._read(1)) != EOT:
            assert heard == b"\x02"
            body = b""
            while not body.endswith((b"\x03", b"\x17")):
                body += self._read(1)
            assert self._read(4) == b"%02X\r\n" % (sum(body) % 256)
            text += body[1:-1]
            self._write(ACK)
        return text.decode().split("\r")[:-1]

    def hears_nothing(self) -> bool:
        return not select.select([self._master], [], [], QUIET_S)[0]

    def _write(self, data: bytes) -> None:
        os.write(self._master, data)

    def _must_hear(self, byte: bytes) -> None:
        assert self._read(1) == byte

    def _read(self, count: int) -> bytes:
        data, end = b"", time.monotonic() + WITHIN_S
        while len(data) < count:
            left = end - time.monotonic()
            assert left > 0, f"the host fell silent after {data!r}"
            if select.select([self._master], [], [], left)[0]:
                data += os.read(self._master, count - len(data))
        return data
