"""Faces in the admin: who is enrolled, enrolling by photo, and the templates."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.admin_export import Column, export_action
from accounts.audit_admin import AuditedAdmin
from accounts.errors import DomainError
from accounts.models import User
from accounts.viewsets import requester
from classroom.admin import (
    CLASS_COLUMNS,
    STUDENT_COLUMNS,
    ClassroomAdmin,
    StudentAdmin,
    counted,
)
from classroom.admin_filters import Choice, SeatFilter
from classroom.admin_seats import RosterInline
from classroom.erasure import erase_student
from classroom.models import Classroom, Enrollment, Student, consent_state
from faces import look_alike_admin, runtime, services
from faces.consent_admin import (
    CONSENT_COLUMN,
    ConsentFilter,
    ConsentInline,
    consent_badge,
    withdraw_action,
)
from faces.engine.errors import EngineError, FaceError
from faces.forms import EnrolForm
from faces.models import FaceTemplate
from faces.status import FaceState, face_state, photo_word

# Imported because it registers more of this app.
assert look_alike_admin  # noqa: S101

FACE_COLUMN: Column = (_("face"), lambda row: FaceState(row.face).label)
FACES_COLUMN: Column = (_("enrolled faces"), lambda room: room.faces)


def badge(state: str) -> SafeString:
    return format_html(
        '<span class="badge badge--face-{}">{}</span>', state, FaceState(state).label
    )


class FaceFilter(admin.SimpleListFilter):
    """Students by whether the active model knows their face."""

    title = _("face")
    parameter_name = "face"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[Choice]:
        return list(FaceState.choices)

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Student]
    ) -> QuerySet[Student] | None:
        value = self.value()
        if value not in FaceState.values:
            return None
        return queryset.alias(state=face_state()).filter(state=value)


class FaceStudentAdmin(StudentAdmin):
    """Students, completed with their faces."""

    list_display = [
        "full_name",
        "student_id",
        "classes",
        "face_badge",
        "consent_badge",
        "email",
    ]
    list_filter = [SeatFilter, FaceFilter, ConsentFilter]
    inlines = [*StudentAdmin.inlines, ConsentInline]
    actions = [
        withdraw_action,
        export_action("students", [*STUDENT_COLUMNS, FACE_COLUMN, CONSENT_COLUMN]),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Student]:
        students = super().get_queryset(request)
        return students.annotate(face=face_state(), consent=consent_state())

    @admin.display(description=_("consent"), ordering="consent")
    def consent_badge(self, student: Student) -> SafeString:
        return consent_badge(student.consent)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Student) -> None:
        """Erase all that is held of a student, and say where the receipt is."""
        receipt = erase_student(obj, by=cast(User, request.user))
        address = reverse("erasure-receipt", args=[receipt.pk])
        text = format_html(
            '{} <a href="{}">{}</a>', _("Erased, with a"), address, _("receipt")
        )
        self.message_user(request, text, messages.SUCCESS)

    def delete_queryset(
        self, request: HttpRequest, queryset: QuerySet[Student]
    ) -> None:
        for student in queryset:
            self.delete_model(request, student)

    @admin.display(description=_("face"), ordering="face")
    def face_badge(self, student: Student) -> SafeString:
        return badge(student.face)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        mine = [
            path("<int:student_id>/enrol/", wrap(self.enrol_view), name="faces_enrol"),
            path(
                "<int:student_id>/faces/remove/",
                wrap(self.remove_view),
                name="faces_remove_all",
            ),
            path(
                "<int:student_id>/faces/<int:template_id>/remove/",
                wrap(self.remove_view),
                name="faces_remove",
            ),
        ]
        return [*mine, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {"enrol_form": EnrolForm(), "templates": templates_of(object_id)}
        context |= extra_context or {}
        return super().change_view(request, object_id, form_url, context)

    def enrol_view(self, request: HttpRequest, student_id: int) -> HttpResponse:
        """Enrol photos; not part of the page's own form.

        That one is saved in a transaction, where no inference has its place.
        """
        student = student_or_404(student_id)
        here = reverse("admin:classroom_student_change", args=[student_id])
        if request.method != "POST":
            return HttpResponseRedirect(here)
        form = EnrolForm(request.POST, request.FILES)
        if form.is_valid() and self.enrolled(request, form, student):
            return HttpResponseRedirect(f"{here}#faces")
        request.method = "GET"  # show the student's page again, nothing of it was sent
        page = self.change_view(
            request, str(student_id), form_url=here, extra_context={"enrol_form": form}
        )
        page.status_code = 400
        return page

    def enrolled(self, request: HttpRequest, form: EnrolForm, student: Student) -> bool:
        """Enrol from the form's photos; a fault becomes the form's and is False."""
        wanted = form.cleaned_data
        try:
            done = services.register(
                student,
                [photo.read() for photo in wanted["photos"]],
                by=cast(User, request.user),
                allow_duplicate=wanted["allow_duplicate"],
                reason=wanted["reason"],
            )
        except (DomainError, FaceError, EngineError) as error:
            form.add_error("photos", sentence(error, len(wanted["photos"])))
            return False
        number = len(done.templates)
        self.log_change(request, student, f"Enrolled photos: {number}")
        text = _("Enrolled photos: %(number)d. The photos themselves are gone.")
        self.message_user(request, text % {"number": number}, messages.SUCCESS)
        for doubt in done.warnings:
            self.message_user(request, doubt.detail, messages.WARNING)
        return True

    def remove_view(
        self, request: HttpRequest, student_id: int, template_id: int | None = None
    ) -> HttpResponse:
        """Ask, then remove one template of a student or all of them."""
        student = student_or_404(student_id)
        templates = FaceTemplate.objects.filter(student=student)
        if template_id is not None:
            templates = templates.filter(pk=template_id)
        number = templates.count()
        if not number:
            raise Http404
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": _("Remove enrolled photos"),
                "opts": self.opts,
                "original": student,
                "number": number,
            }
            return TemplateResponse(
                request, "admin/classroom/student/remove_faces.html", context
            )
        by = requester(request)
        services.remove_templates(student, by=by, only=template_id)
        self.log_change(request, student, f"Removed enrolled photos: {number}")
        text = _("Removed enrolled photos: %(number)d.") % {"number": number}
        self.message_user(request, text, messages.SUCCESS)
        here = reverse("admin:classroom_student_change", args=[student_id])
        return HttpResponseRedirect(f"{here}#faces")


def student_or_404(student_id: int) -> Student:
    student = Student.objects.filter(pk=student_id).first()
    if student is None:
        raise Http404
    return student


def templates_of(student_id: str) -> list[FaceTemplate]:
    """Return a student's templates for the page, each with two words about it."""
    if not student_id.isdigit():
        return []
    active = runtime.active_model_id()
    templates = FaceTemplate.objects.filter(student=int(student_id))
    found = list(templates.defer("sealed_embedding").select_related("created_by"))
    for template in found:
        template.is_active = template.model_id == active  # type: ignore[attr-defined]
        template.word = photo_word(template.quality)  # type: ignore[attr-defined]
    return found


def sentence(
    error: DomainError | FaceError | EngineError, photos: int
) -> forms.ValidationError:
    """Return the fault as a form's, naming the photo where there are several."""
    number = error.extra.get("photo")
    detail = error.detail
    if number and photos > 1:
        detail = str(_("Photo %(number)s: ") % {"number": number}) + detail
    return forms.ValidationError(detail, code=error.code)


class FaceRosterInline(RosterInline):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Enrollment]:
        return super().get_queryset(request).annotate(face=face_state("student"))


class FaceClassroomAdmin(ClassroomAdmin):
    """Classes, completed with how many of their students have a face."""

    list_display = [
        "class_name",
        "class_code",
        "school_year",
        "teacher",
        "number_of_students",
        "enrolled_faces",
    ]
    inlines = [ClassroomAdmin.inlines[0], FaceRosterInline]
    actions = [
        "archive",
        "bring_back",
        export_action("classes", [*CLASS_COLUMNS, FACES_COLUMN]),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Classroom]:
        known = Enrollment.objects.current().filter(
            classroom=OuterRef("pk"),
            student__templates__model_id=runtime.active_model_id(),
        )
        return super().get_queryset(request).annotate(faces=counted(known))

    @admin.display(description=_("enrolled faces"), ordering="faces")
    def enrolled_faces(self, room: Classroom) -> SafeString | str:
        missing = room.seats - room.faces  # type: ignore[attr-defined]
        if missing <= 0:
            return str(room.faces or "–")  # type: ignore[attr-defined]
        return format_html(
            '{} <a class="quiet" href="{}?class={}&amp;face=none">{}</a>',
            room.faces,  # type: ignore[attr-defined]
            reverse("admin:classroom_student_changelist"),
            room.pk,
            _("%(number)d missing") % {"number": missing},
        )


admin.site.unregister([Student, Classroom])
admin.site.register(Student, FaceStudentAdmin)
admin.site.register(Classroom, FaceClassroomAdmin)


@admin.register(FaceTemplate)
class FaceTemplateAdmin(AuditedAdmin[FaceTemplate]):
    """What is enrolled, of whichever model; the numbers themselves stay sealed."""

    list_display = ["student", "model_id", "quality_word", "created_at", "created_by"]
    list_filter = ["model_id", "created_at"]
    list_select_related = ["student", "created_by"]
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = "created_at"
    search_fields = ["student__full_name", "student__student_id"]
    search_help_text = _("Name or code of the student")
    fields = [
        "student",
        "model_id",
        "dimension",
        "quality",
        "duplicate_reason",
        "created_at",
        "created_by",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FaceTemplate]:
        return super().get_queryset(request).defer("sealed_embedding")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: FaceTemplate | None = None
    ) -> bool:
        return False

    @admin.display(description=_("photo"))
    def quality_word(self, template: FaceTemplate) -> str:
        return photo_word(template.quality) or "–"
