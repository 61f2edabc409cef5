"""How often one address may ask for something that everybody may ask for."""

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil
from threading import Lock

from lims.domain.refusals import TooManyAttempts


class Pace:
    """`most` times in `window`, evenly refilled; kept in this process, so each web process counts
    for itself. An IPv6 subscriber is the /64 they hold, not one of its addresses."""

    def __init__(self, *, most: int, window: timedelta, addresses: int = 20_000) -> None:
        self._most, self._window, self._addresses = most, window, addresses
        self._spent: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._lock = Lock()

    def spend(self, address: str, now: datetime) -> None:
        """Count one more. Raises TooManyAttempts."""
        self._count(address, now, 1)

    def refuse_spent(self, address: str, now: datetime) -> None:
        """Count nothing; raises TooManyAttempts where one more would be one too many."""
        self._count(address, now, 0)

    def _count(self, address: str, now: datetime, more: int) -> None:
        who, step = _subscriber(address), self._window / self._most
        with self._lock:
            spent, at = self._spent.pop(who, (0.0, now))
            spent = max(0.0, spent - (now - at) / step)
            over = spent + 1 - self._most
            if over > 0:
                self._spent[who] = (spent, now)
                wait_s = ceil((over * step).total_seconds())
                raise TooManyAttempts(retry_after_s=max(1, wait_s))
            if spent + more > 0:
                self._spent[who] = (spent + more, now)
            while len(self._spent) > self._addresses:
                self._spent.popitem(last=False)


def _subscriber(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return known.exploded[:19]
    return str(known)
