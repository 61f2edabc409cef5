"""Which network addresses are the open internet's, and which are somebody's own."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


def is_public(address: str) -> bool:
    """False for loopback, private, link-local (a cloud's metadata), shared and multicast ones.

    An IPv4 address inside an IPv6 one is judged by itself. Raises ValueError for what is no
    address. Source: the IANA special-purpose address registries.
    """
    ip = _inner(ip_address(address))
    return ip.is_global and not ip.is_multicast


def is_public_literal(host: str) -> bool:
    """Whether it is a public address itself; where a name leads is known when it is called."""
    try:
        return is_public(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip
