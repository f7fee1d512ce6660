"""What accounts and tokens look like outside."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import ValidationError as PasswordRefused
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, Throttled
from rest_framework.fields import get_error_detail
from rest_framework.validators import UniqueValidator
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer

from accounts import lockout
from accounts.models import Role, User, normalise_email
from accounts.tokens import RefreshToken, TokenAuthentication

MAX_PASSWORD_LENGTH = 1024


class TokensSerializer(serializers.Serializer[Any]):
    """What a log-in and a refresh answer with."""

    access_token = serializers.CharField(
        help_text="Goes into the header `Authorization: Bearer …`."
    )
    refresh_token = serializers.CharField(
        help_text="Good for one `/auth/refresh` or `/auth/logout`."
    )
    token_type = serializers.CharField(help_text="Always `bearer`.")
    expires_in = serializers.IntegerField(
        help_text="Seconds for which the access token is good."
    )


def tokens(*, access: str, refresh: str) -> dict[str, object]:
    """Return the body of TokensSerializer."""
    return {
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": int(RefreshToken.access_token_class.lifetime.total_seconds()),
    }


class LoginSerializer(TokenObtainPairSerializer):
    """Check `{email, password}` and make a pair of tokens."""

    token_class = RefreshToken

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Answer alike, after the same work, whatever was wrong.

        Django hashes a password for an unknown account too. Raises Throttled after
        five wrong ones.
        """
        request = self.context["request"]
        wait = lockout.seconds_to_wait(request, attrs["email"])
        if wait is not None:
            raise Throttled(wait)
        try:
            pair = super().validate(attrs)
        except AuthenticationFailed as error:
            raise AuthenticationFailed(
                _("The e-mail address or the password is wrong."),
                code="invalid_credentials",
            ) from error
        # What a page's login says, so that nobody has to know which door it was.
        user_logged_in.send(User, request=request, user=self.user)
        return tokens(access=pair["access"], refresh=pair["refresh"])


class RefreshSerializer(serializers.Serializer[Any]):
    """Exchange a refresh token for a new pair; each one is good for a single time."""

    refresh_token = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises TokenError, or AuthenticationFailed if the account has changed."""
        used = RefreshToken(attrs["refresh_token"])
        # The stock refresh looks at neither a changed password nor a deleted user.
        user = TokenAuthentication().get_user(used)
        with transaction.atomic():
            retire(used)
            fresh = RefreshToken.for_user(user)
        return tokens(access=str(fresh.access_token), refresh=str(fresh))


class LogoutSerializer(serializers.Serializer[Any]):
    """End a refresh token."""

    refresh_token = serializers.CharField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        token = RefreshToken(attrs["refresh_token"])
        with transaction.atomic():
            retire(token)
            user = User.objects.filter(pk=token.get("user_id")).first()
            user_logged_out.send(User, request=self.context["request"], user=user)
        return {}


def retire(token: RefreshToken) -> None:
    """Blacklist a token; raises TokenError if another request was quicker."""
    listed: Any = token.blacklist()
    _row, is_first = listed
    if not is_first:
        raise TokenError(_("Token is blacklisted"))


class TeacherSerializer(serializers.ModelSerializer[User]):
    """A user of either role, as an admin manages them."""

    password = serializers.CharField(
        write_only=True,
        trim_whitespace=False,
        max_length=MAX_PASSWORD_LENGTH,
        style={"input_type": "password"},
        help_text="A new one ends all the tokens and sessions of this user.",
    )

    # The default also holds for a form, where a missing box would mean false.
    is_active = serializers.BooleanField(
        default=True, help_text="`false`: can't log in."
    )

    class Meta:
        model = User
        fields = [
            "id",
            "teacher_id",
            "full_name",
            "email",
            "password",
            "role",
            "is_active",
        ]
        extra_kwargs = {
            "id": {"help_text": "The row's id: `teacher_id` of a class points at it."},
            "email": {
                "help_text": "The login; its case does not matter.",
                "validators": [
                    UniqueValidator(
                        User.objects.all(),
                        message=_("This e-mail address is already in use."),
                        lookup="iexact",
                    )
                ],
            },
        }

    def validate_email(self, email: str) -> str:
        return normalise_email(email)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "password" not in attrs:
            return attrs
        kept = self.instance
        as_saved = User(
            **{
                name: attrs.get(name, getattr(kept, name, ""))
                for name in ("email", "full_name", "teacher_id")
            }
        )
        try:
            validate_password(attrs["password"], as_saved)
        except PasswordRefused as error:
            raise serializers.ValidationError(
                {"password": get_error_detail(error)}
            ) from error
        return attrs

    def create(self, validated_data: dict[str, Any]) -> User:
        return User.objects.create_user(**validated_data)

    def update(self, instance: User, validated_data: dict[str, Any]) -> User:
        """Change a user; raises LastAdmin. Runs in the view's transaction."""
        password = validated_data.pop("password", None)
        stays_admin = validated_data.get(
            "role", instance.role
        ) == Role.ADMIN and validated_data.get("is_active", instance.is_active)
        if instance.is_admin and not stays_admin:
            instance.require_another_admin()
        if password is not None:
            instance.set_password(password)
        return super().update(instance, validated_data)
