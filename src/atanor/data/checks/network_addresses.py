"""IP addresses of the public internet and MAC addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from atanor.data.checks.scanning import Span

IP_FORM: Final = r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:"
"""RE2: an IP address may be there."""

MAC_FORM: Final = r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}"
"""RE2: a MAC address may be there."""

_IPV4 = re.compile(r"(?<![\w.\]-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w\[-]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.\]-])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:\[]|\.[0-9])")
_MAC = re.compile(r"(?<![\w:\]-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![\w\[]|[:-][0-9A-Fa-f])")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_A_VERSION = re.compile(
    r"""(?:(?<![a-z])(?:v|ver|version|versi[oó]n|release|build|revision|rev|update|patch|firmware|driver|kernel|section
      |secci[oó]n|chapter|cap[ií]tulo|clause|art[ií]culo|oid|chrome|firefox|python|java|office|php|sdk)
      (?:_\w{1,10})?\W{0,4}(?:is\W|no\W{1,2})? | § )$""",
    re.IGNORECASE | re.VERBOSE,
)


def ip_addresses(text: str) -> Iterator[Span]:
    """Where public IPv4 and IPv6 addresses stand.

    Private, loopback, documentation and other special addresses belong to no one and are left; so are versions and
    section numbers, told by the word before them or by having a single digit in every part, as `1.2.3.4`.
    """
    for match in _IPV4.finditer(text):
        numbered = _A_VERSION.search(text[max(0, match.start() - 30) : match.start()]) is not None
        if len(match[0]) > 7 and not numbered and _public(match[0]):
            yield match.span()
    for match in _IPV6.finditer(text):
        if _public(match[0]):
            yield match.span()


def mac_addresses(text: str) -> Iterator[Span]:
    """Where addresses of single network cards stand (EUI-48), not the zero, broadcast or multicast ones."""
    for match in _MAC.finditer(text):
        multicast = int(match[0][:2], 16) & 1
        if not multicast and set(match[0]) - set("0:-"):
            yield match.span()


def _public(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed in _GLOBAL_UNICAST and parsed.is_global
    return parsed.is_global and not parsed.is_multicast
