"""A self-signed certificate, so that a phone in the same network gets its camera.

Browsers give the camera to a page that came over HTTPS, or from `localhost`, alone.
"""

import contextlib
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "Rollbook (self-signed)"
LIFETIME = timedelta(days=397)  # Apple's devices refuse more than 398 days
RENEW_BEFORE = timedelta(days=7)
# From the range kept for documents (RFC 5737): no packet ever goes there.
SOMEWHERE = ("192.0.2.1", 9)


@dataclass(frozen=True)
class Certificate:
    """Where a certificate and its key are, and what a person can compare it by."""

    certificate: Path
    key: Path
    fingerprint: str  # SHA-256, in capitals with colons, as browsers show it


def ensure(
    folder: Path, *, hosts: list[str], now: datetime | None = None
) -> Certificate:
    """Return the certificate of a folder, made anew where it is missing or unfit.

    It is renewed a week before it expires and when it lacks one of the hosts (names or
    addresses). Only its owner may read the key.
    """
    moment = now or datetime.now(UTC)
    paths = folder / "certificate.pem", folder / "key.pem"
    found = load(*paths)
    if found is None or not is_fit(found, hosts=hosts, now=moment):
        found = make(*paths, hosts=hosts, now=moment)
    return Certificate(*paths, found.fingerprint(hashes.SHA256()).hex(":").upper())


def load(certificate: Path, key: Path) -> x509.Certificate | None:
    """Return a certificate, or None where it or its key is missing or damaged."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (FileNotFoundError, ValueError):
        return None
    return found if private.public_key() == found.public_key() else None


def is_fit(found: x509.Certificate, *, hosts: list[str], now: datetime) -> bool:
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.not_valid_after_utc - RENEW_BEFORE > now and all(
        general_name(host) in names for host in hosts
    )


def make(
    certificate: Path, key: Path, *, hosts: list[str], now: datetime
) -> x509.Certificate:
    """Write a fresh key and a certificate that it signed itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    identifier = x509.SubjectKeyIdentifier.from_public_key(private.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        # An hour back, for a phone whose clock is slow.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(
            x509.SubjectAlternativeName([general_name(host) for host in hosts]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
        .add_extension(identifier, critical=False)
        .sign(private, hashes.SHA256())
    )
    certificate.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(
        key,
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made


def write_private(path: Path, content: bytes) -> None:
    """Write a file that was never readable for anybody else, not even for a moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def general_name(host: str) -> x509.GeneralName:
    address = parsed(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def parsed(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def own_address() -> str | None:
    """Return the address under which the local network knows this machine, if any."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(SOMEWHERE)  # only looks up the route
        except OSError:
            return None
        return str(probe.getsockname()[0])


def own_hosts() -> list[str]:
    """Return every name and address a phone may reach this machine by, sorted."""
    name = socket.gethostname()
    hosts = {"localhost", "127.0.0.1", "::1", name}
    # A name that nothing resolves does no harm: the addresses still work.
    with contextlib.suppress(OSError):
        # The scope of a link-local address (fe80::1%eth0) belongs to no certificate.
        hosts |= {
            str(entry[4][0]).partition("%")[0]
            for entry in socket.getaddrinfo(name, None)
        }
    if address := own_address():
        hosts.add(address)
    return sorted(hosts)
