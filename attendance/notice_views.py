"""A class's notices: what is sent, by choice, and what was; a page and a call."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import audit
from accounts.audit import Event
from accounts.audited_forms import save_form
from accounts.viewsets import requester
from attendance.api import visible_class as class_for_call
from attendance.notice_models import Notice, NoticeSettings
from attendance.notices import mail_is_set_up, send_again
from attendance.pages import user_of, visible_class
from classroom.models import Classroom

SHOWN = 50
LANGUAGES = [("", gettext_lazy("The school’s")), *settings.LANGUAGES]


class NoticeForm(forms.ModelForm[NoticeSettings]):
    language = forms.ChoiceField(
        label=gettext_lazy("Language of the mails to families"),
        choices=LANGUAGES,
        required=False,
    )

    class Meta:
        model = NoticeSettings
        fields = ["absence", "late", "digest", "language"]


@require_http_methods(["GET", "POST"])
@login_required
def notices(request: HttpRequest, class_id: int) -> HttpResponse:
    """Choose what a class sends, and see what it has sent."""
    classroom = visible_class(request, class_id)
    if request.method == "POST":
        form = NoticeForm(request.POST, instance=wishes_of(classroom))
        if form.is_valid():
            save_form(form, by=user_of(request))
            messages.success(request, _("Saved."))
            return redirect("class-notices", classroom.pk)
    else:
        found = NoticeSettings.objects.filter(classroom=classroom).first()
        form = NoticeForm(instance=found or NoticeSettings(classroom=classroom))
    context = {
        "classroom": classroom,
        "form": form,
        "notices": log_of(classroom),
        "has_mail": mail_is_set_up(),
    }
    status = 400 if form.errors else 200
    return render(request, "notices/notices.html", context, status=status)


def wishes_of(classroom: Classroom) -> NoticeSettings:
    """Return a class's row, made if missing; two at once get the same one."""
    wishes, _new = NoticeSettings.objects.get_or_create(classroom=classroom)
    return wishes


def log_of(classroom: Classroom) -> list[Notice]:
    rows = Notice.objects.filter(classroom=classroom).select_related("student")
    return list(rows[:SHOWN])


@require_POST
@login_required
def again(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Send a mail again that failed, or of which nobody knows."""
    classes = Classroom.objects.for_user(user_of(request))
    notice = get_object_or_404(Notice, pk=notice_id, classroom__in=classes)
    if send_again(notice, by=user_of(request)):
        messages.success(request, _("It is sent within a few minutes."))
    else:
        messages.warning(request, _("This mail was sent or waits already."))
    return redirect("class-notices", notice.classroom_id)


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    student_id = serializers.IntegerField(read_only=True, allow_null=True)
    session_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Notice
        fields = [
            *("id", "kind", "state", "session_id", "student_id", "week", "to"),
            *("tries", "fault", "created_at", "sent_at"),
        ]


class WishesSerializer(serializers.ModelSerializer[NoticeSettings]):
    """What a class sends, and the last mails; `mail_server` says whether any can go."""

    language = serializers.ChoiceField(choices=LANGUAGES, required=False)
    mail_server = serializers.SerializerMethodField()
    log = serializers.SerializerMethodField()

    class Meta:
        model = NoticeSettings
        fields = ["absence", "late", "digest", "language", "mail_server", "log"]

    def get_mail_server(self, wishes: NoticeSettings) -> bool:
        return mail_is_set_up()

    @extend_schema_field(NoticeSerializer(many=True))
    def get_log(self, wishes: NoticeSettings) -> Any:
        return NoticeSerializer(log_of(wishes.classroom), many=True).data


class NoticesView(APIView):
    @extend_schema(responses={200: WishesSerializer})
    def get(self, request: Request, class_id: int) -> Response:
        """Say what a class sends to whom, and show its last mails."""
        classroom = class_for_call(request, class_id)
        found = NoticeSettings.objects.filter(classroom=classroom).first()
        wishes = found or NoticeSettings(classroom=classroom)
        return Response(WishesSerializer(wishes).data)

    @extend_schema(request=WishesSerializer, responses={200: WishesSerializer})
    def patch(self, request: Request, class_id: int) -> Response:
        """Choose what a class sends; nothing goes out unless it was chosen."""
        wishes = wishes_of(class_for_call(request, class_id))
        form = WishesSerializer(wishes, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        fields = sorted(form.validated_data)
        with transaction.atomic():
            form.save()
            audit.write(
                Event.CHANGED,
                by=requester(request),
                on=wishes,
                door="api",
                fields=fields,
            )
        return Response(form.data)
