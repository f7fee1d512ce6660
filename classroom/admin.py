"""Teachers' classes, classes with their dated rosters, and students in the admin."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget, AutocompleteSelectMultiple
from django.db.models import (
    Count,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin import TeacherAdmin
from accounts.admin_deletion import CountedDeletionAdmin
from accounts.admin_export import Column, export_action
from accounts.models import User
from accounts.viewsets import requester
from classroom.admin_filters import ArchivedFilter, SeatFilter
from classroom.admin_rollover import roll_over_view
from classroom.admin_seats import ClassAccessInline, RosterInline, SeatInline
from classroom.models import Classroom, Enrollment, Student
from classroom.rosters import enrol

CLASS_COLUMNS: list[Column] = [
    (_("name"), lambda room: room.class_name),
    (_("code"), lambda room: room.class_code),
    (_("school year"), lambda room: room.school_year),
    (_("teacher"), lambda room: room.teacher.full_name),
    (_("students"), lambda room: room.seats),
    (_("archived"), lambda room: room.archived_at),
]
STUDENT_COLUMNS: list[Column] = [
    (_("name"), lambda student: student.full_name),
    (_("student ID"), lambda student: student.student_id),
    (_("classes"), lambda student: ", ".join(codes(student))),
    (_("e-mail addresses"), lambda student: student.email),
    (_("phone"), lambda student: student.phone),
]


def codes(student: Student) -> list[str]:
    """Return the codes of a student's classes, which `StudentAdmin` loads."""
    return [seat.classroom.class_code for seat in student.visible_seats]


class ClassTeacherAdmin(TeacherAdmin):
    """Teachers with how many classes they have now."""

    list_display = [*TeacherAdmin.list_display, "number_of_classes"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        current = Count("classrooms", filter=Q(classrooms__archived_at__isnull=True))
        return super().get_queryset(request).annotate(current_classes=current)

    @admin.display(description=_("classes"), ordering="current_classes")
    def number_of_classes(self, user: User) -> SafeString | str:
        number = user.current_classes  # type: ignore[attr-defined]
        if not number:
            return "–"
        address = reverse("admin:classroom_classroom_changelist")
        return format_html(
            '<a href="{}?teacher__id__exact={}">{}</a>', address, user.pk, number
        )


admin.site.unregister(User)
admin.site.register(User, ClassTeacherAdmin)


def several(field: str, model: type[Enrollment]) -> AutocompleteSelectMultiple:
    """Return a box that looks up several rows as one types."""
    return AutocompleteSelectMultiple(model._meta.get_field(field), admin.site)


class EnrollingForm(forms.ModelForm[Any]):
    """What classes and students share: new seats from a day on."""

    starting = forms.DateField(
        label=_("From"),
        widget=AdminDateWidget(),
        initial=timezone.localdate,
        required=False,
    )


class ClassForm(EnrollingForm):
    add_students = forms.ModelMultipleChoiceField(
        label=_("Students"),
        queryset=Student.objects.all(),
        required=False,
        widget=several("student", Enrollment),
        help_text=_("Type a name or a code; choose as many as you like."),
    )

    class Meta:
        model = Classroom
        fields = ["class_name", "class_code", "school_year", "teacher"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("add_students") and self.instance.is_archived:
            text = _("This class is archived. Bring it back before you enrol students.")
            self.add_error("add_students", forms.ValidationError(text))
        return cleaned


class StudentForm(EnrollingForm):
    add_to = forms.ModelMultipleChoiceField(
        label=_("Classes"),
        queryset=Classroom.objects.current(),
        required=False,
        widget=several("classroom", Enrollment),
        help_text=_("Type a name or a code; choose as many as you like."),
    )

    class Meta:
        model = Student
        fields = ["full_name", "student_id", "email", "phone"]


class ClassroomAdmin(CountedDeletionAdmin[Classroom]):
    form = ClassForm
    list_display = [
        "class_name",
        "class_code",
        "school_year",
        "teacher",
        "number_of_students",
    ]
    list_filter = [
        ArchivedFilter,
        "school_year",
        ("teacher", admin.RelatedOnlyFieldListFilter),
    ]
    list_select_related = ["teacher"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["class_name", "class_code", "teacher__full_name"]
    search_help_text = _("Name or code of the class, or its teacher")
    autocomplete_fields = ["teacher"]
    readonly_fields = ["archived_at"]
    save_on_top = True
    inlines = [ClassAccessInline, RosterInline]
    actions = ["archive", "bring_back", export_action("classes", CLASS_COLUMNS)]
    deletion_hint = _("A class with a register can't be deleted: archive it.")
    fieldsets = [
        (None, {"fields": [("class_name", "class_code"), "school_year", "teacher"]}),
        (_("Add students"), {"fields": ["add_students", "starting"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Classroom | None = None) -> Any:
        found = list(super().get_fieldsets(request, obj))
        if obj is not None and obj.is_archived:
            found[1:] = [(_("Archived"), {"fields": ["archived_at"]})]
        return found

    def get_inlines(self, request: HttpRequest, obj: Classroom | None) -> Any:
        inlines = super().get_inlines(request, obj)
        # Before a class exists nobody sits in it.
        return inlines if obj else [ClassAccessInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Classroom]:
        sitting = Enrollment.objects.current().filter(classroom=OuterRef("pk"))
        return super().get_queryset(request).annotate(seats=counted(sitting))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Classroom], search_term: str
    ) -> tuple[QuerySet[Classroom], bool]:
        """Offer only current classes where one is chosen for a seat."""
        found, duplicates = super().get_search_results(request, queryset, search_term)
        if request.path.endswith("/autocomplete/"):
            found = found.filter(archived_at__isnull=True)
        return found, duplicates

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(roll_over_view, model_admin=self))
        mine = path("roll-over/", view, name="classroom_classroom_roll_over")
        return [mine, *super().get_urls()]

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        students = form.cleaned_data.get("add_students") or []
        if students:
            start = form.cleaned_data["starting"]
            added = enrol(form.instance, students, on=start, by=requester(request))
            text = _("Students enrolled: %(number)d.") % {"number": len(added)}
            self.message_user(request, text, messages.SUCCESS)

    def response_change(self, request: HttpRequest, obj: Classroom) -> HttpResponse:
        for button, moving in (("_archive", self.archive), ("_back", self.bring_back)):
            if button in request.POST:
                moving(request, self.get_queryset(request).filter(pk=obj.pk))
                return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    @admin.display(description=_("students"), ordering="seats")
    def number_of_students(self, room: Classroom) -> SafeString | str:
        number = room.seats  # type: ignore[attr-defined]
        if not number:
            return "–"
        address = reverse("admin:classroom_student_changelist")
        return format_html('<a href="{}?class={}">{}</a>', address, room.pk, number)

    @admin.action(description=_("Archive the selected classes"))
    def archive(self, request: HttpRequest, queryset: QuerySet[Classroom]) -> None:
        chosen = queryset.filter(archived_at__isnull=True)
        self.move(request, chosen, str(_("Archived")), archived=True)

    @admin.action(description=_("Bring the selected classes back from the archive"))
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Classroom]) -> None:
        chosen = queryset.filter(archived_at__isnull=False)
        self.move(request, chosen, str(_("Brought back")), archived=False)

    def move(
        self,
        request: HttpRequest,
        classes: QuerySet[Classroom],
        word: str,
        *,
        archived: bool,
    ) -> None:
        moved = list(classes)
        for room in moved:
            room.archived_at = timezone.now() if archived else None
            room.save(update_fields=["archived_at"])
            self.log_change(request, room, word)
        self.message_user(request, f"{word}: {len(moved)}", messages.SUCCESS)


def counted(rows: QuerySet[Any], distinct: str = "student") -> Coalesce:
    """Return how many distinct students are among some rows of a class, or 0."""
    per_class = rows.order_by().values("classroom")
    number = per_class.annotate(number=Count(distinct, distinct=True)).values("number")
    return Coalesce(Subquery(number), 0, output_field=IntegerField())


class StudentAdmin(CountedDeletionAdmin[Student]):
    form = StudentForm
    list_display = ["full_name", "student_id", "classes", "email", "phone"]
    list_filter = [SeatFilter]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["full_name", "student_id", "email"]
    search_help_text = _("Name, code or e-mail address")
    inlines = [SeatInline]
    actions = [export_action("students", STUDENT_COLUMNS)]
    fieldsets = [
        (None, {"fields": [("full_name", "student_id"), ("email", "phone")]}),
        (_("Add to classes"), {"fields": ["add_to", "starting"]}),
    ]

    def get_inlines(self, request: HttpRequest, obj: Student | None) -> Any:
        return super().get_inlines(request, obj) if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Student]:
        seats = Enrollment.objects.seated().select_related("classroom")
        # The name is given at run time: the model's own method promises it already.
        wanted: Any = Prefetch(
            "enrollments",
            queryset=seats.order_by("starts_on", "id"),
            to_attr="visible_seats",
        )
        return super().get_queryset(request).prefetch_related(wanted)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        start, by = form.cleaned_data["starting"], requester(request)
        for classroom in form.cleaned_data["add_to"]:
            enrol(classroom, [form.instance], on=start, by=by)

    @admin.display(description=_("classes"))
    def classes(self, student: Student) -> SafeString | str:
        address = reverse("admin:classroom_classroom_changelist")
        links = format_html_join(
            ", ",
            '<a href="{}{}/change/">{}</a>',
            (
                (address, seat.classroom_id, seat.classroom.class_code)
                for seat in student.visible_seats
            ),
        )
        return links or "–"


admin.site.register(Classroom, ClassroomAdmin)
admin.site.register(Student, StudentAdmin)
