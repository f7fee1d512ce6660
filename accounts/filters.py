"""Filters that lists share: `?search=` and row ids."""

from typing import Any

from django import forms
from django.core.validators import MaxValueValidator
from django_filters import filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from accounts.search import MAX_SEARCH

MAX_ID = 2**63 - 1  # BigAutoField


class FlagFilter(filters.BooleanFilter):
    """Choose the rows that carry a mark, a time that is set, or those that don't.

    Unless it is asked for, the rows without it are shown.
    """

    def __init__(self, *, help_text: str, field_name: str) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            field_name=field_name, help_text=help_text
        )

    def filter(self, qs: Any, value: bool | None) -> Any:
        return qs.filter(**{f"{self.field_name}__isnull": not value})


class SearchFilter(filters.CharFilter):
    """Call the queryset's own `search` with the words that were typed."""

    def __init__(self, *, help_text: str) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            help_text=help_text, max_length=MAX_SEARCH
        )

    def filter(self, qs: Any, value: str) -> Any:
        return qs.search(value) if value else qs


@extend_schema_field(OpenApiTypes.INT)
class IdFilter(filters.NumberFilter):
    """Take a row id; anything else is answered 400."""

    field_class = forms.IntegerField  # type: ignore[assignment]

    def __init__(
        self,
        *,
        help_text: str,
        field_name: str | None = None,
        method: str | None = None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            field_name=field_name, method=method, help_text=help_text
        )

    def get_max_validator(self) -> MaxValueValidator:
        return MaxValueValidator(MAX_ID)
