"""Sessions in the database."""

from accounts.sessions import KeptAsDigest


class SessionStore(KeptAsDigest):
    pass
