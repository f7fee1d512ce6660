"""Filters that the admin's lists share: by class, and archived or not."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from classroom.models import Classroom, Enrollment, Student

Choice = tuple[str, StrOrPromise]


class ClassFilter(admin.SimpleListFilter):
    """Rows of one class; `path` leads from the row to the class.

    The list names the current classes; an address may name an archived one too.
    """

    title = _("class")
    parameter_name = "class"
    path = "classroom"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        classes = Classroom.objects.current().order_by("class_code")
        return [
            (str(pk), f"{code} · {year}")
            for pk, code, year in classes.values_list("pk", "class_code", "school_year")
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        value = self.value()
        if value is None:
            return None
        return queryset.filter(**{self.path: value}) if value.isdigit() else None


class SeatFilter(ClassFilter):
    """Students by where they sit today, those without a seat included."""

    ANY, NONE = "any", "none"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        seated: list[Choice] = [
            (self.ANY, _("In a class")),
            (self.NONE, _("In no class")),
        ]
        return seated + super().lookups(request, model_admin)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Student]
    ) -> QuerySet[Student] | None:
        value = self.value() or ""
        seated = Enrollment.objects.seated().values("student")
        if value == self.ANY:
            return queryset.filter(pk__in=seated)
        if value == self.NONE:
            return queryset.exclude(pk__in=seated)
        if not value.isdigit():
            return None
        return queryset.filter(pk__in=Student.objects.in_class(int(value)))


class DefaultFilter(admin.SimpleListFilter):
    """A filter whose first choice holds until another one is made."""

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        chosen = self.value()
        for number, (value, title) in enumerate(self.lookup_choices):
            first, name = number == 0, str(self.parameter_name)
            yield {
                "selected": chosen == value or (first and chosen is None),
                "query_string": changelist.get_query_string(
                    {} if first else {name: value}, [name] if first else []
                ),
                "display": title,
            }


class ArchivedFilter(DefaultFilter):
    """Current classes, unless somebody asks for the archived ones."""

    title = _("state")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        return [
            ("current", _("Current")),
            ("archived", _("Archived")),
            ("empty", _("Current, without students")),
            ("orphaned", _("Current, teacher deactivated")),
            ("all", _("All")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> QuerySet[Any] | None:
        value = self.value()
        if value == "all":
            return None
        if value == "archived":
            return queryset.filter(archived_at__isnull=False)
        current = queryset.filter(archived_at__isnull=True)
        if value == "empty":
            seats = Enrollment.objects.current().values("classroom")
            return current.exclude(pk__in=seats)
        if value == "orphaned":
            return current.filter(teacher__is_active=False)
        return current
