"""Who sits in a class, and who else may see it: rows on the pages of the admin."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.db.models import F, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from classroom.models import ClassAccess, Classroom, Enrollment, Student

# Rows of dates on one page: a form of 500 would be refused as too long.
ROSTER_PAGE = 50


class AccessFormSet(BaseInlineFormSet[ClassAccess, Classroom, Any]):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Delete")


class ClassAccessInline(admin.TabularInline[ClassAccess, Classroom]):
    model = ClassAccess
    formset = AccessFormSet
    autocomplete_fields = ["user"]
    extra = 0

    def formfield_for_dbfield(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        # A heading above a column is no label to those who don't see it.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name)
        return field

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClassAccess]:
        # The page names each row by its teacher and class.
        return super().get_queryset(request).select_related("user", "classroom")


class RosterFormSet(BaseInlineFormSet[Enrollment, Classroom, Any]):
    """One page of a roster; what is sent back is looked up by its own row ids."""

    wanted_page: str | None = None
    page: Page[Enrollment] | None = None

    def get_queryset(self) -> Any:
        if not hasattr(self, "_rows"):
            rows = super().get_queryset()
            if self.is_bound:
                self._rows: Any = rows.filter(pk__in=self._sent_ids())
            else:
                paginator = Paginator(rows, ROSTER_PAGE)
                self.page = paginator.get_page(self.wanted_page)
                self._rows = list(self.page.object_list)
        return self._rows

    def _sent_ids(self) -> list[str]:
        names = (
            f"{self.add_prefix(number)}-id"
            for number in range(self.initial_form_count())
        )
        sent = (self.data.get(name, "") for name in names)
        return [number for number in sent if number.isdigit()]


class RosterInline(admin.TabularInline[Enrollment, Classroom]):
    """Who sits in a class, and from when to when; new students come in above."""

    model = Enrollment
    formset = RosterFormSet
    template = "admin/classroom/seats.html"
    fields = ["starts_on", "ends_on"]
    verbose_name_plural = _("roster")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_formset(self, *args: Any, **kwargs: Any) -> Any:
        request: HttpRequest = args[0]
        formset = super().get_formset(*args, **kwargs)
        formset.wanted_page = request.GET.get("roster")  # type: ignore[attr-defined]
        return formset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        seats = super().get_queryset(request).select_related("student")
        here_first = F("ends_on").asc(nulls_first=True)
        return seats.order_by(here_first, "student__full_name", "starts_on", "pk")


class SeatInline(admin.TabularInline[Enrollment, Student]):
    """Where a student sits, and from when to when; new classes come in above."""

    model = Enrollment
    template = "admin/classroom/seats.html"
    fields = ["starts_on", "ends_on"]
    verbose_name_plural = _("classes")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        seats = super().get_queryset(request)
        return seats.select_related("classroom").order_by("-starts_on", "pk")
