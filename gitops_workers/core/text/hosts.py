"""Host names: one spelling for the many ways to write the same host."""

from __future__ import annotations

import ipaddress

_BYTES = 4


def canonical_host(text: str) -> str:
    """The host in lower case, without the root's dot; an address as it is usually written, whatever base it came in.

    >>> canonical_host("GitHub.com."), canonical_host("0x7f.1"), canonical_host("[::ffff:10.0.0.1]")
    ('github.com', '127.0.0.1', '10.0.0.1')
    """
    host = text.lower().rstrip(".")
    if host.startswith("[") and host.endswith("]"):
        try:
            address = ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return host
        return str(address.ipv4_mapped or f"[{address}]")
    return _ipv4(host) or host


def _ipv4(host: str) -> str:
    """The address of what `inet_aton` takes for one (`127.1`, `0x7f000001`), which is what resolvers do; else ""."""
    parts = host.split(".")
    numbers = [_number(part) for part in parts]
    if len(parts) > _BYTES or None in numbers:
        return ""
    *leading, last = (number for number in numbers if number is not None)
    if any(number > 255 for number in leading) or last >= 256 ** (_BYTES - len(leading)):
        return ""
    value = last + sum(number << 8 * (_BYTES - 1 - place) for place, number in enumerate(leading))
    return str(ipaddress.IPv4Address(value))


def _number(text: str) -> int | None:
    try:
        if text.startswith("0x"):
            return int(text, 16)
        return int(text, 8 if text.startswith("0") and text != "0" else 10) if text.isdecimal() else None
    except ValueError:
        return None
