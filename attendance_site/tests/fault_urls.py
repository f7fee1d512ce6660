"""Addresses that fail in every known way, for the tests of the answers."""

from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.db.models import ProtectedError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.errors import DomainError
from accounts.models import User
from faces.engine.errors import EngineBusy, FaceTooSmall


class ClassFull(DomainError):
    code = "class_full"
    status = 409
    default_detail = "This class is full."


class Nested(serializers.Serializer[object]):
    status = serializers.ChoiceField(choices=["present", "absent"])


class Form(serializers.Serializer[object]):
    name = serializers.CharField(max_length=5)
    records = Nested(many=True, required=False)

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if attrs["name"] == "pair":
            raise serializers.ValidationError("These don't fit together.", code="pair")
        return attrs


FAULTS: dict[str, Exception] = {
    "domain": ClassFull(limit=30),
    "face": FaceTooSmall(width=20),
    "busy": EngineBusy(retry_after=3),
    "protected": ProtectedError("used", {User(pk=1)}),
    "missing": Http404("secret name"),
    "forbidden": PermissionDenied("secret reason"),
    "anonymous": NotAuthenticated(),
    "throttled": Throttled(wait=7),
    "bug": ZeroDivisionError("secret of the code"),
    "cut_off": OperationalError("secret host closed the connection"),
}


class FaultView(APIView):
    permission_classes = [AllowAny]

    def get(self, request: Request, name: str) -> Response:
        raise FAULTS[name]

    post = get


class FormView(APIView):
    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        form = Form(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(form.data)


class FilesView(APIView):
    """Say what arrived: the name of a handler's class and a size for each file."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        files = request.FILES.getlist("file")
        kinds = [type(file).__name__ for file in files]
        return Response({"sizes": [file.size for file in files], "kinds": kinds})


def page(request: HttpRequest) -> HttpResponse:
    raise FAULTS[request.GET["fault"]]


def files_page(request: HttpRequest) -> HttpResponse:
    files: list[Any] = list(request.FILES.values())
    return JsonResponse({"sizes": [file.size for file in files]})


def garbled(request: HttpRequest) -> HttpResponse:
    raise BadRequest("secret detail")


urlpatterns = [
    path("fault/<str:name>", FaultView.as_view()),
    path("form", FormView.as_view()),
    path("files", FilesView.as_view()),
    path("app/files", files_page),
    path("app/page", page),
    path("plain", page),
    path("garbled", garbled),
]
handler400 = "attendance_site.errors.bad_request"
handler403 = "attendance_site.errors.permission_denied"
handler404 = "attendance_site.errors.page_not_found"
handler500 = "attendance_site.errors.server_error"
