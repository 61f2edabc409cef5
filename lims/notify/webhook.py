"""Send one owed notice as a Standard Webhook: thin, signed, once per attempt.

Source: Standard Webhooks 1.0. The receiver fetches the case with its own credential; no name,
number, address or Ct leaves here. `webhook-id` is the notice's id, so a notice that is sent
again, after a killed deliverer say, is recognised; `webhook-timestamp` is that of the attempt.
A digest has an id of its own that stays, and each notice in it the id it would have had alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any

import httpx
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from lims.notify import wire
from lims.work.delivery import LONGEST_ERROR, Attempt
from lims.work.owed import News, Owed

DIGEST = "digest"


def webhook_id(owed: Owed) -> str:
    return f"msg_{owed.message_id}"


def payload(owed: Owed, base_url: str) -> bytes:
    """The JSON body. A digest holds what each notice would have been alone, with its id."""
    if owed.digest:
        notices = [{"id": f"msg_{one.notice_id}", **_event(one, base_url)} for one in owed.news]
        at = max(one.created_at for one in owed.news)
        body = {"type": DIGEST, "timestamp": _rfc3339(at), "data": {"notices": notices}}
    else:
        body = _event(owed.news[0], base_url)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _event(news: News, base_url: str) -> dict[str, Any]:
    """Facts come first so that they can never stand in for an id or the URL.

    An alert's counts are all there is to say of a pool, so its URL is the board for people.
    """
    data: dict[str, Any] = dict(news.facts)
    if news.case_id is not None:
        data |= {"case_id": str(news.case_id), "url": f"{base_url}/api/v1/cases/{news.case_id}"}
    else:
        data |= {"pool_id": str(news.pool_id), "url": f"{base_url}/handoff#alerts"}
    data["sequence"] = news.sequence
    return {"type": news.kind, "timestamp": _rfc3339(news.created_at), "data": data}


def headers(owed: Owed, body: bytes, at: datetime) -> dict[str, str]:
    """Signed with each secret, so that a receiver may change from one to the other when it likes.

    Source: Standard Webhooks 1.0, "Zero downtime secret rotation". Raises ValueError (or the
    package's EmptyWebhookSecretError) for an unusable secret.
    """
    said = body.decode()
    signatures = [Webhook(secret).sign(webhook_id(owed), at, said) for secret in owed.secrets]
    if not signatures:
        raise EmptyWebhookSecretError
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",  # an excerpt is read, and never inflated
        "user-agent": "thantoc-webhook/1",
        "webhook-id": webhook_id(owed),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class WebhookSender:
    """One HTTP client for all receivers; safe to use from many threads.

    `read_s` bounds each wait for bytes and `whole_s` all of it, from the connection to the last
    byte, so that a receiver that drips cannot hold a thread. Redirects are a failure: a signed
    notice goes to the address that was agreed on, and nowhere else. Without `private` that is
    https, and outside every private network.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_s: float = 5.0,
        read_s: float = 10.0,
        whole_s: float = 20.0,
        private: bool = False,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._whole_s = whole_s
        self._private = private
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        self._client = httpx.Client(
            follow_redirects=False,
            timeout=httpx.Timeout(read_s, connect=connect_s),
            transport=wire.transport(private=private, limits=limits),
        )

    def close(self) -> None:
        self._client.close()

    def send(self, owed: Owed, clock: Callable[[], datetime]) -> Attempt:
        """Never raises for what the receiver, its address or its secret does."""
        began = monotonic()
        if not (self._private or owed.to.lower().startswith("https://")):
            return Attempt(None, "refused: only https, unless LIMS_WEBHOOK_PRIVATE=allow", 0)
        try:
            body = payload(owed, self._base_url)
            signed = headers(owed, body, clock())
        except (ValueError, EmptyWebhookSecretError) as unsigned:
            return Attempt(None, f"not signed: {type(unsigned).__name__}", 0)
        try:
            with (
                wire.within(self._whole_s),
                self._client.stream("POST", owed.to, content=body, headers=signed) as response,
            ):
                said = _excerpt(response)
                return Attempt(
                    status_code=response.status_code,
                    error=None if response.is_success else said or response.reason_phrase,
                    took_ms=_since_ms(began),
                    retry_after_s=retry_after_s(response.headers.get("retry-after"), clock()),
                )
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as failure:
            error = f"{type(failure).__name__}: {failure}"[:LONGEST_ERROR]
            return Attempt(None, error, _since_ms(began))


def _excerpt(response: httpx.Response) -> str:
    """The first characters of the answer, or those that came in time; the status counts anyway."""
    kept = b""
    try:
        for chunk in response.iter_raw():
            kept += chunk
            if len(kept) >= LONGEST_ERROR:
                break
    except httpx.HTTPError:
        pass  # a status was said, and that is what moves the notice
    return kept.decode(errors="replace")[:LONGEST_ERROR]


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header: a count, or until a date (RFC 9110 section 10.2.3)."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def _since_ms(began: float) -> int:
    return round((monotonic() - began) * 1000)


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
