"""Lists as pages: `{count, next, previous, results}` with `?limit&offset`."""

from rest_framework.pagination import LimitOffsetPagination


class Pagination(LimitOffsetPagination):
    default_limit = 100
    max_limit = 1000
