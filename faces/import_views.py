"""Send an archive of photos: the page and the API call."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.errors import DomainError
from accounts.import_views import refused, require_room
from accounts.job_api import StartedSerializer
from accounts.models import Job, User
from accounts.throttles import ImportThrottle
from accounts.viewsets import requester
from faces import photo_import
from faces.import_uploads import FIELD, spools_uploads, with_spooled_uploads


class ArchiveTooLarge(DomainError):
    code = "archive_too_large"
    status = 413

    def __init__(self) -> None:
        limit = settings.IMPORT_MAX_MB
        words = _("An archive may have up to %(limit)s MB.") % {"limit": limit}
        super().__init__(words, limit_mb=limit)


class ArchiveSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        help_text="A ZIP of photos: CODE.jpg, CODE_2.jpg, or a folder CODE a student."
    )


class ImportPhotosView(APIView):
    parser_classes = [MultiPartParser]
    throttle_classes = [ImportThrottle]

    def initialize_request(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> Request:
        # Now, because a log-in by session looks for its token in the body. Nobody
        # reaches the body without a log-in.
        spools_uploads(request)
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": ArchiveSerializer},
        responses={202: StartedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Enrol students from a ZIP of photos in the background: 202 `{job_id}`.

        422 `archive_…` for one that is refused whole, 409 `import_running` while the
        last one is being read. The job's result lists every file.
        """
        photo_import.require_no_other(requester(request))
        try:
            form = ArchiveSerializer(data=request.data)
        except RequestDataTooBig as error:
            raise ArchiveTooLarge from error
        form.is_valid(raise_exception=True)
        job = _begun(form.validated_data[FIELD], requester(request))
        body = StartedSerializer({"job_id": job.pk}).data
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _begun(upload: Any, owner: User) -> Job:
    job = photo_import.begin(upload.spooled, owner=owner)
    upload.keep()
    return job


# The login is asked for before the body is read, the token after it was spooled; a
# request without one leaves nothing, because what is not kept goes with the request.
@csrf_exempt
@require_http_methods(["GET", "POST"])
@login_required
@with_spooled_uploads
def import_photos(request: HttpRequest) -> HttpResponse:
    """Ask for an archive, and lead to its job."""
    if request.method != "POST":
        return _page(request)
    try:
        require_room(request)  # before anything reads the body
    except DomainError as error:
        return refused(_page(request, str(error.detail)), error)
    return _received(request)


@csrf_protect
def _received(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    upload = request.FILES.get(FIELD)
    if upload is None:
        return _page(request, _("Choose an archive."), status=400)
    try:
        job = _begun(upload, user)
    except DomainError as error:
        return _page(request, str(error.detail), status=error.status)
    return redirect("job", job.pk)


def _page(request: HttpRequest, fault: str = "", *, status: int = 200) -> HttpResponse:
    context = {"fault": fault, "limit": settings.IMPORT_MAX_MB}
    return render(request, "imports/photos.html", context, status=status)
