"""Entries pushed to a national platform in batches, answered entry by entry.

    outcome of an entry   leads to
    --------------------  ---------------------------------------------------------------
    accepted, known       taken (known: they have this message, or a later one of it)
    later, none at all    not now: the same entry again, later and later
    refused               never: an administrator sees their reason

A batch that cannot be read as a whole is said again in halves, so that one bad entry harms itself.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lims.exchange.adapters.https_line import Line, Unreadable
from lims.exchange.speaker import Away, Payload
from lims.work.outbound import Came

_CAME: Final = {
    "accepted": Came.TAKEN,
    "known": Came.TAKEN,
    "later": Came.NOT_NOW,
    "refused": Came.NEVER,
}


@dataclass(frozen=True, slots=True)
class Pushing:
    """One line's way to say a batch of entries under ``path``."""

    line: Line
    path: str
    laboratory: str

    def tell(self, payloads: Sequence[Payload]) -> Sequence[tuple[Came, str]]:
        """One outcome of each. Raises Away."""
        try:
            answer = self.line.post(self.path, self._batch(payloads))
        except Unreadable as unreadable:
            if len(payloads) == 1:
                return [(Came.NEVER, str(unreadable))]
            half = len(payloads) // 2
            return [*self.tell(payloads[:half]), *self.tell(payloads[half:])]
        outcomes = _outcomes(answer)
        return [
            outcomes.get(one.known_by, (Came.NOT_NOW, "no answer about it")) for one in payloads
        ]

    def _batch(self, payloads: Sequence[Payload]) -> bytes:
        said = json.dumps(self.laboratory).encode()
        entries = b",".join(one.data for one in payloads)
        return b'{"laboratory":' + said + b',"entries":[' + entries + b"]}"


def _outcomes(answer: Any) -> Mapping[str, tuple[Came, str]]:
    """By message. Raises Away for what is no answer of the contract."""
    try:
        return {str(one["message"]): _outcome(one) for one in answer["entries"]}
    except (KeyError, TypeError, AttributeError) as error:
        raise Away("answered 200 without the outcome of each entry") from error


def _outcome(one: Mapping[str, Any]) -> tuple[Came, str]:
    said = str(one.get("outcome", ""))
    reason = str(one.get("reason") or "")
    return _CAME.get(said, Came.NOT_NOW), f"{said} {reason}".strip()
