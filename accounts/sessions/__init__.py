"""Sessions whose cookie opens them, but whose row doesn't give the cookie away."""

import hashlib
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.utils import timezone

KEY_LENGTH = 40  # of the column; 160 bits of the digest


def digest(session_key: str) -> str:
    """Return what is stored of a session's key, which is a long random word."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:KEY_LENGTH]


class KeptAsDigest(SessionStore):
    """Look sessions up by a digest: a copied database opens nobody's session."""

    def _get_session_from_db(self) -> Session | None:
        found = Session.objects.filter(
            session_key=digest(self.session_key or ""), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        made = super().create_model_instance(data)
        made.session_key = digest(made.session_key)
        return made

    def exists(self, session_key: str) -> bool:
        return super().exists(digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(digest(key))
