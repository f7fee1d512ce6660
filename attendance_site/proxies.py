"""Take a client's address and scheme from our own proxies, and from nobody else."""

import logging
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
SCHEME = "HTTP_X_FORWARDED_PROTO"
# X-Real-IP counts only where there is no list: a proxy that writes the list may well
# pass on an X-Real-IP that a client made up.
CLIENT = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP")
REQUEST_ID = "HTTP_X_REQUEST_ID"


class ProxyMiddleware:
    """Make REMOTE_ADDR the client's address, and X-Forwarded-Proto believable.

    Both are what a proxy of TRUSTED_PROXIES says. What anybody else sends in these
    headers is dropped before it is read: a client can neither count as another one
    in a throttle nor pass for one that came over HTTPS, nor choose a request's id.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.warned = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        scheme = meta.pop(SCHEME, "")
        lists = [meta.pop(name, "") for name in CLIENT]
        peer = parsed(meta.get("REMOTE_ADDR", ""))
        if not is_trusted(peer):
            meta.pop(REQUEST_ID, None)
            self.warn_once(peer, scheme)
            return self.get_response(request)
        if scheme:
            # A chain of proxies writes a list; the last word is the one next to us.
            meta[SCHEME] = scheme.rpartition(",")[2].strip()
        stated = next(filter(None, lists), "")
        meta["REMOTE_ADDR"] = str(client_of(peer, stated.split(",")))
        return self.get_response(request)

    def warn_once(self, peer: Address | None, scheme: str) -> None:
        """Say why browsers are sent in circles behind a proxy that nobody named."""
        if self.warned or scheme != "https" or not settings.SECURE_SSL_REDIRECT:
            return
        self.warned = True
        logger.warning(
            "%s sends X-Forwarded-Proto but is not in TRUSTED_PROXIES, so its word "
            "does not count. If it is your proxy, add it there.",
            peer or "The other end of a socket",
        )


def client_of(peer: Address | None, stated: Sequence[str]) -> Address | None:
    """Return the first address, seen from us, that is no proxy of ours.

    Each proxy adds at the end of `stated` whom it talks to, so what stands before the
    first stranger is the stranger's own invention. An entry that is no address ends
    the search at the proxy that wrote it.
    """
    client = peer
    for text in reversed(stated):
        address = parsed(text)
        if address is None:
            break
        client = address
        if not is_trusted(address):
            break
    return client


def is_trusted(address: Address | None) -> bool:
    return address is not None and any(
        address in network for network in settings.TRUSTED_PROXIES
    )


def parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    # A server that listens on both families sees IPv4 clients in this form.
    return getattr(address, "ipv4_mapped", None) or address
