"""Tokens that end with "sign out everywhere", as they end with a new password."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework_simplejwt import authentication, tokens
from rest_framework_simplejwt.exceptions import AuthenticationFailed
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken
from rest_framework_simplejwt.utils import datetime_from_epoch

CLAIM = "sign_outs"


class RefreshToken(tokens.RefreshToken):
    """Remembers how often its user had signed out everywhere; so do its children."""

    @classmethod
    def for_user(cls, user: Any) -> Any:
        """Return a new token, listed by its id.

        The library's own list keeps the whole token, with which a copy of the database
        would be as good as a login.
        """
        token: Any = super(tokens.BlacklistMixin, cls).for_user(user)
        token[CLAIM] = user.sign_outs
        OutstandingToken.objects.create(
            user=user,
            jti=token["jti"],
            token="",
            created_at=token.current_time,
            expires_at=datetime_from_epoch(token["exp"]),
        )
        return token


class TokenAuthentication(authentication.JWTAuthentication):
    """Refuses a token from before its user signed out everywhere."""

    def get_user(self, validated_token: tokens.Token) -> Any:
        """Raises AuthenticationFailed where the account has changed since."""
        user: Any = super().get_user(validated_token)
        if validated_token.get(CLAIM, 0) != user.sign_outs:
            raise AuthenticationFailed(
                _("This user has signed out everywhere."), code="signed_out"
            )
        return user


class TokenScheme(SimpleJWTScheme):  # type: ignore[no-untyped-call]
    """Shows the authenticator in the API's documents as the bearer token it is."""

    target_class = "accounts.tokens.TokenAuthentication"
