"""An analyser after IHE LAW, on a socket, that asks before it measures. Its end of the line is
written here once more, plainly: it shares no code with the gateway."""

import contextlib
import socket
import time

from tests.until import WITHIN_S

Segments = dict[str, list[list[str]]]


class LawAnalyser:
    """Calls the gateway, asks, and answers what it is told unless `says_taken` is ""."""

    says_taken = "AA"

    def __init__(self, port: int) -> None:
        end = time.monotonic() + WITHIN_S
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                self._socket = socket.create_connection(("127.0.0.1", port), WITHIN_S)
                break
            assert time.monotonic() < end, "the gateway does not listen"
            time.sleep(0.05)
        self._heard = b""
        self._asked = 0

    def close(self) -> None:
        self._socket.close()

    def asks(self, specimen: str, *, name: str = "WOS^Work Order Step^IHELAW") -> str:
        """MSH-10 of the query."""
        self._asked += 1
        control_id = f"Q{self._asked}"
        self.says(
            f"MSH|^~\\&|||||20210911091200||QBP^Q11^QBP_Q11|{control_id}|P|2.5.1|||ER|AL||UNICODE"
            " UTF-8|||LAB-27^IHE",
            f"QPD|{name}|{control_id}-tag|{specimen}",
            "RCP|I||R",
        )
        return control_id

    def says(self, *segments: str) -> None:
        self.says_bytes("".join(f"{segment}\r" for segment in segments).encode())

    def says_bytes(self, message: bytes) -> None:
        self._socket.sendall(b"\x0b" + message + b"\x1c\r")

    def hears(self) -> Segments:
        """The next message: of each segment's name, its fields (MSH-1 is the mark itself)."""
        while b"\x1c\r" not in self._heard:
            data = self._socket.recv(65536)
            assert data, "the gateway hung up"
            self._heard += data
        block, _, self._heard = self._heard.partition(b"\x1c\r")
        assert block[:1] == b"\x0b"
        told: Segments = {}
        for line in block[1:].decode("utf-8").split("\r"):
            if line:
                fields = line.split("|")
                told.setdefault(fields[0], []).append(
                    ["MSH", "|", *fields[1:]] if fields[0] == "MSH" else fields
                )
        if told["MSH"][0][9].startswith("OML") and self.says_taken:
            self.says(
                "MSH|^~\\&|||||20210911091201||ORL^O34^ORL_O42|T1|P|2.5.1",
                f"MSA|{self.says_taken}|{told['MSH'][0][10]}|full",
            )
        return told

    def hears_nothing(self, quiet_s: float = 1.0) -> bool:
        self._socket.settimeout(quiet_s)
        try:
            self._heard += self._socket.recv(65536)
        except TimeoutError:
            return not self._heard
        finally:
            self._socket.settimeout(WITHIN_S)
        return False


def answered(told: Segments) -> tuple[str, str]:
    """MSA-1 and QAK-2."""
    return told["MSA"][0][1], told["QAK"][0][2]


def work(told: Segments) -> tuple[str, list[str], list[str]]:
    """The tube, what each ORC says to do, the tests."""
    return (
        told["SPM"][0][2].split("^")[0],
        [orc[1] for orc in told["ORC"]],
        [obr[4].split("^")[0] for obr in told.get("OBR", [])],
    )
