"""Start the demo over HTTPS: `make run HTTPS=1`, for a phone in the same network.

The certificate is self-signed and kept in `.certificates/`. A proxy with a real one is
what a school needs (docs/deploy.md).
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from attendance_site import certificate, environment

FOLDER = environment.BASE_DIR / ".certificates"
DEFAULT_BIND = "0.0.0.0:8443"


def prepared(given: Mapping[str, str], *, folder: Path) -> tuple[dict[str, str], str]:
    """Return the server's environment and the fingerprint of its certificate.

    `given` holds BIND and PUBLIC_URL where somebody chose them; an http PUBLIC_URL is
    the one of a plain `make run` and doesn't count.
    """
    bind = given.get("BIND") or DEFAULT_BIND
    url = given.get("PUBLIC_URL", "")
    if not url.startswith("https://"):
        host = certificate.own_address() or "localhost"
        url = f"https://{host}:{bind.rpartition(':')[2]}"
    hosts = {*certificate.own_hosts(), str(urlsplit(url).hostname)}
    made = certificate.ensure(folder, hosts=sorted(hosts))
    return {
        "BIND": bind,
        "PUBLIC_URL": url,
        "TLS_CERTIFICATE": str(made.certificate),
        "TLS_KEY": str(made.key),
        # Nobody stands in front, and a certificate that nobody vouches for must not
        # bind a browser to HTTPS for a year.
        "TRUSTED_PROXIES": "none",
        "HSTS_DAYS": "0",
    }, made.fingerprint


def main() -> None:
    try:
        environment.read_env_file(environment.BASE_DIR / ".env")
        chosen = {name: environment.text(name) for name in ("BIND", "PUBLIC_URL")}
    except ImproperlyConfigured as error:
        sys.exit(f"Configuration: {error}")
    variables, fingerprint = prepared(chosen, folder=FOLDER)
    changed = os.environ | variables
    first_run = [sys.executable, "-m", "attendance_site.first_run"]
    # Fixed words: nothing of them comes from outside.
    if status := subprocess.run(first_run, env=changed, check=False).returncode:  # noqa: S603
        sys.exit(status)
    sys.stdout.write(
        f"  On a phone    {variables['PUBLIC_URL']}   (in the same network)\n"
        "                It warns of a certificate that this machine signed itself.\n"
        "                Go on only if its SHA-256 fingerprint is\n"
        f"                {fingerprint[:47]}\n"
        f"                {fingerprint[48:]}\n\n"
    )
    sys.stdout.flush()
    run = [sys.executable, "-m", "attendance_site.run"]
    os.execve(sys.executable, run, changed)  # noqa: S606


if __name__ == "__main__":
    main()
