"""API of accounts: log in, renew and end tokens; admins manage the teachers."""

from django_filters.filters import ChoiceFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework_simplejwt.views import TokenViewBase

from accounts.filters import SearchFilter
from accounts.models import Role, User
from accounts.serializers import (
    LoginSerializer,
    LogoutSerializer,
    RefreshSerializer,
    TeacherSerializer,
    TokensSerializer,
)
from accounts.throttles import LoginThrottle
from accounts.viewsets import ResourceViewSet, requester


class LoginView(TokenViewBase):
    serializer_class = LoginSerializer
    throttle_classes = [LoginThrottle]

    @extend_schema(auth=[], responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        """Log in: 401 `invalid_credentials`, 429 after ten tries in a minute."""
        return super().post(request)


class RefreshView(TokenViewBase):
    serializer_class = RefreshSerializer

    @extend_schema(auth=[], responses=TokensSerializer)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair: 401 `token_not_valid` if used."""
        return super().post(request)


class LogoutView(TokenViewBase):
    serializer_class = LogoutSerializer

    @extend_schema(auth=[], responses={204: None})
    def post(self, request: Request) -> Response:
        """End a refresh token; its access token runs out by itself."""
        super().post(request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(GenericAPIView[User]):
    serializer_class = TeacherSerializer

    def get(self, request: Request) -> Response:
        """Say who is logged in."""
        return Response(self.get_serializer(requester(request)).data)


class TeacherFilter(FilterSet):
    search = SearchFilter(help_text="Words of the name, e-mail or teacher_id.")
    role = ChoiceFilter(choices=Role.choices)


class TeacherViewSet(ResourceViewSet[User]):
    """The people who can log in, admins included. For admins alone."""

    queryset = User.objects.all()
    serializer_class = TeacherSerializer
    filterset_class = TeacherFilter

    def erase(self, instance: User) -> None:
        if instance.is_admin:
            instance.require_another_admin()
        instance.delete()
