"""Users in the admin: the role gives the rights, so groups have no place."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import (
    BaseUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.contrib.auth.hashers import is_password_usable
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist import admin as token_admin
from rest_framework_simplejwt.token_blacklist.models import (
    BlacklistedToken,
    OutstandingToken,
)

from accounts import audit, audit_admin, lockout_admin
from accounts.admin_deletion import CountedDeletionAdmin, Deletion
from accounts.admin_export import export_action
from accounts.audit import Event
from accounts.audit_admin import changed_fields
from accounts.errors import LastAdmin
from accounts.forms import AdminLoginForm
from accounts.models import Role, User
from accounts.viewsets import requester

admin.site.login_form = AdminLoginForm
admin.site.unregister(Group)
# Tokens end with the password or the account; a list of them helps nobody.
assert token_admin  # noqa: S101  (imported first, because it registers what goes here)
assert audit_admin  # noqa: S101  (registers its pages)
assert lockout_admin  # noqa: S101
admin.site.unregister([OutstandingToken, BlacklistedToken])

TEACHER_COLUMNS = [
    (_("name"), lambda user: user.full_name),
    (_("teacher ID"), lambda user: user.teacher_id),
    (_("e-mail address"), lambda user: user.email),
    (_("role"), lambda user: user.get_role_display()),
    (_("active"), lambda user: user.is_active),
    (_("last login"), lambda user: user.last_login),
]


class NewUserForm(BaseUserCreationForm[User]):
    class Meta:
        model = User
        fields = ["email", "full_name", "teacher_id", "role"]


class PasswordWidget(ReadOnlyPasswordHashWidget):
    """A button to reset it; the parts of a hash say nothing to an admin."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        known = bool(value) and is_password_usable(value)
        word = _("A password is set.") if known else _("No password: can't log in.")
        return context | {"summary": [{"label": word}]}


class ChangedUserForm(UserChangeForm[User]):
    password = ReadOnlyPasswordHashField(
        label=_("Password"),
        widget=PasswordWidget,
        help_text=_("Nobody can read it. A new one ends all sessions and tokens."),
    )

    class Meta:
        model = User
        fields = "__all__"

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays_admin = cleaned.get("role") == Role.ADMIN and cleaned.get("is_active")
        if self.instance.is_admin and not stays_admin:
            try:
                self.instance.require_another_admin()
            except LastAdmin as error:
                raise ValidationError(error.detail, code=error.code) from error
        return cleaned


class TeacherAdmin(CountedDeletionAdmin[User], UserAdmin[User]):
    form = ChangedUserForm
    add_form = NewUserForm
    list_display = ["full_name", "email", "teacher_id", "role", "is_active"]
    list_filter = ["role", "is_active"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["full_name", "email", "teacher_id"]
    search_help_text = _("Name, e-mail address or code")
    ordering = ["full_name", "id"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    actions = ["activate", "deactivate", export_action("teachers", TEACHER_COLUMNS)]
    deletion_hint = _(
        "Give the classes to another teacher first, or deactivate the account: "
        "what it did stays on record."
    )
    fieldsets = [
        (None, {"fields": ["full_name", "teacher_id"]}),
        (_("Login"), {"fields": ["email", "password"]}),
        (_("Rights"), {"fields": ["role", "is_active"]}),
        (_("Dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["full_name", "teacher_id"]}),
        (_("Login"), {"fields": ["email", "password1", "password2"]}),
        (_("Rights"), {"fields": ["role"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Offer only active people where one is chosen for a class."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if request.path.endswith("/autocomplete/"):
            found = found.filter(is_active=True)
        return found, duplicates

    @admin.action(description=_("Let the selected people log in again"))
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=False):
            self.switch(request, user, active=True)

    @admin.action(description=_("Deactivate: the selected people can't log in"))
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for user in queryset.filter(is_active=True):
            if user == request.user:
                text = _("You can't lock yourself out; your own account stays active.")
                self.message_user(request, text, messages.WARNING)
                continue
            try:
                self.switch(request, user, active=False)
            except LastAdmin as error:
                self.message_user(request, error.detail, messages.ERROR)

    @transaction.atomic
    def switch(self, request: HttpRequest, user: User, *, active: bool) -> None:
        """Let a user log in or not; raises LastAdmin."""
        if not active and user.is_admin:
            user.require_another_admin()
        user.is_active = active
        user.save(update_fields=["is_active"])
        word = _("Activated") if active else _("Deactivated")
        self.log_change(request, user, str(word))
        self.message_user(request, f"{word}: {user.full_name}", messages.SUCCESS)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        entry = super().log_change(request, obj, message)
        if any("password" in name.lower() for name in changed_fields(message)):
            by = requester(request)
            audit.write(Event.PASSWORD_CHANGED, by=by, on=obj, way="admin")
        return entry

    def has_delete_permission(
        self, request: HttpRequest, obj: User | None = None
    ) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and obj.is_last_admin())

    def get_deleted_objects(
        self, objs: QuerySet[User] | Any, request: HttpRequest
    ) -> Deletion:
        """Protect the last admin when all of them were chosen in the list."""
        tree, counts, missing, protected = super().get_deleted_objects(objs, request)
        chosen = {user.pk for user in objs}
        remaining = User.objects.active_admins().exclude(pk__in=chosen)
        if not remaining.exists():
            protected = [*protected, LastAdmin.default_detail]
        return tree, counts, missing, protected


admin.site.register(User, TeacherAdmin)
