"""The base of every API resource: scoped to the user, closed unless opened."""

from copy import copy
from typing import Any, TypeVar, cast

from django.db import IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from accounts import audit
from accounts.audit import Event
from accounts.models import User
from accounts.permissions import IsAdmin

ModelT = TypeVar("ModelT", bound=Model)


def requester(request: Request | HttpRequest) -> User:
    """Return the logged-in user; the permission classes ran before."""
    return cast(User, request.user)


class ScopedViewSet(GenericViewSet[ModelT]):
    """Start every action from what the user may see, and fail closed.

    Another teacher's object is therefore answered 404. An action that
    `teacher_actions` does not name is for admins alone (403 for a teacher).
    """

    teacher_actions: frozenset[str] = frozenset()

    def get_permissions(self) -> list[BasePermission]:
        permissions = [*super().get_permissions()]
        if self.action not in {*self.teacher_actions, "metadata", None}:
            permissions.append(IsAdmin())
        return cast("list[BasePermission]", permissions)

    def get_queryset(self) -> QuerySet[ModelT]:
        queryset: Any = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return cast("QuerySet[ModelT]", queryset.none())
        return cast("QuerySet[ModelT]", queryset.for_user(requester(self.request)))


class ResourceViewSet(ScopedViewSet[ModelT], ModelViewSet[ModelT]):
    """List, create, retrieve, change and delete; PATCH is the one way to change."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    def perform_create(self, serializer: BaseSerializer[ModelT]) -> None:
        self.save(serializer, Event.ADDED)

    def perform_update(self, serializer: BaseSerializer[ModelT]) -> None:
        self.save(serializer, Event.CHANGED)

    @transaction.atomic
    def perform_destroy(self, instance: ModelT) -> None:
        gone = copy(instance)  # a deleted row forgets its id
        self.erase(instance)
        audit.write(Event.ERASED, by=requester(self.request), on=gone, door="api")

    def erase(self, instance: ModelT) -> None:
        instance.delete()

    def save(self, serializer: BaseSerializer[ModelT], event: Event) -> None:
        """Save whole or not at all, and answer with what a list would show."""
        details = {"door": "api", "fields": sorted(serializer.validated_data)}
        try:
            with transaction.atomic():
                saved = serializer.save()
                audit.write(event, by=requester(self.request), on=saved, **details)
        except IntegrityError:
            # Another request took the same code meanwhile: the validators see it now.
            serializer.run_validation(serializer.initial_data)
            raise
        serializer.instance = self.get_queryset().get(pk=saved.pk)
