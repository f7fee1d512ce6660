"""A class's notices: what is sent, by choice, and what was."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attendance.notice_models import Notice, NoticeSettings
from attendance.pages import visible_class

SHOWN = 50


class NoticeForm(forms.ModelForm[NoticeSettings]):
    class Meta:
        model = NoticeSettings
        fields = ["absence", "late", "digest"]


@require_http_methods(["GET", "POST"])
@login_required
def notices(request: HttpRequest, class_id: int) -> HttpResponse:
    """Choose what a class sends, and see what it has sent."""
    classroom = visible_class(request, class_id)
    wishes = NoticeSettings.objects.filter(classroom=classroom).first()
    wishes = wishes or NoticeSettings(classroom=classroom)
    data = request.POST if request.method == "POST" else None
    form = NoticeForm(data, instance=wishes)
    if form.is_valid():
        chosen = {name: form.cleaned_data[name] for name in NoticeForm.Meta.fields}
        NoticeSettings.objects.update_or_create(classroom=classroom, defaults=chosen)
        messages.success(request, _("Saved."))
        return redirect("class-notices", classroom.pk)
    rows = Notice.objects.filter(classroom=classroom).select_related("student")
    context = {"classroom": classroom, "form": form, "notices": rows[:SHOWN]}
    return render(request, "notices/notices.html", context)
