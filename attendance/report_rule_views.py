"""Pages on which an admin changes the rules of the absence lists."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.audited_forms import erase, save_form
from accounts.viewsets import requester
from attendance.models import AbsenceRule
from attendance.report_forms import AbsenceRuleForm
from attendance.timetable_views import admins_only, posted


@require_http_methods(["GET", "POST"])
@login_required
@admins_only
def rules(request: HttpRequest) -> HttpResponse:
    """List the rules and add one."""
    form = AbsenceRuleForm(posted(request))
    if form.is_bound and form.is_valid():
        save_form(form, by=requester(request))
        messages.success(request, _("The rule is in force."))
        return redirect("report-rules")
    context = {"form": form, "rules": AbsenceRule.objects.all()}
    status = 400 if form.errors else 200
    return render(request, "reports/rules.html", context, status=status)


@require_http_methods(["GET", "POST"])
@login_required
@admins_only
def rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Change a rule."""
    found = get_object_or_404(AbsenceRule, pk=rule_id)
    form = AbsenceRuleForm(posted(request), instance=found)
    if form.is_bound and form.is_valid():
        save_form(form, by=requester(request))
        messages.success(request, _("Saved."))
        return redirect("report-rules")
    status = 400 if form.errors else 200
    return render(
        request, "reports/rule.html", {"form": form, "rule": found}, status=status
    )


@require_POST
@login_required
@admins_only
def remove_rule(request: HttpRequest, rule_id: int) -> HttpResponse:
    """Delete a rule; the register stays as it is."""
    erase(get_object_or_404(AbsenceRule, pk=rule_id), by=requester(request))
    messages.success(request, _("Removed."))
    return redirect("report-rules")
