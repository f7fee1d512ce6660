"""Fields that the shapes of every floor share."""

from typing import Any

from rest_framework import serializers

from accounts.filters import MAX_ID


class RowIdField(serializers.IntegerField):
    """The `id` of a row; anything that can't be one is answered 400."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=MAX_ID, **options)
