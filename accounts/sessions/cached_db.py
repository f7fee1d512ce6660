"""Sessions in the database and, for speed, in the cache."""

from django.contrib.sessions.backends import cached_db as stock

from accounts.sessions import KeptAsDigest, digest


class SessionStore(KeptAsDigest, stock.SessionStore):
    @property
    def cache_key(self) -> str:
        """Return the name in the cache, which doesn't give the cookie away either."""
        return self.cache_key_prefix + digest(self._get_or_create_session_key())
