"""Each message by its recipient's own way: a webhook or an e-mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Self, assert_never

from lims.domain.telling import Channel, MailServer
from lims.notify.email import EmailSender
from lims.notify.webhook import WebhookSender
from lims.work.delivery import Attempt
from lims.work.owed import Owed


class Ways:
    """What a deliverer sends with; safe to use from many threads."""

    def __init__(self, webhook: WebhookSender, email: EmailSender) -> None:
        self._webhook = webhook
        self._email = email

    @classmethod
    def of(cls, base_url: str, *, mail: MailServer | None = None, private: bool = False) -> Self:
        """`private`: receivers in private networks are allowed. Without a mail server an e-mail is
        a failed attempt that says so."""
        return cls(WebhookSender(base_url, private=private), EmailSender(base_url, mail))

    def send(self, owed: Owed, clock: Callable[[], datetime]) -> Attempt:
        """Never raises for what the other side, its address or its secret does."""
        match owed.channel:
            case Channel.WEBHOOK:
                return self._webhook.send(owed, clock)
            case Channel.EMAIL:
                return self._email.send(owed, clock)
            case Channel.BOARD:
                return Attempt(None, "not written: a board is read, nothing is sent to it", 0)
            case _:
                assert_never(owed.channel)

    def close(self) -> None:
        self._webhook.close()
