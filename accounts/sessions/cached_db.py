"""Sessions in the database and, for speed, in the cache."""

from typing import Any

from django.contrib.sessions.backends import cached_db as stock

from accounts.sessions import KeptAsDigest, digest


class SessionStore(KeptAsDigest, stock.SessionStore):
    @property
    def cache_key(self) -> str:
        """Return the name in the cache, which doesn't give the cookie away either."""
        session: Any = self  # the stubs leave out how a key comes to be
        return str(self.cache_key_prefix) + digest(session._get_or_create_session_key())
