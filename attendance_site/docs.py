"""The API's documents: schema, Swagger UI and ReDoc, all served from this host."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

REDOC_BUNDLE = "drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js"
# The bundle asks another host for this image, and no option turns it off. An address
# that can't be shown makes ReDoc drop the image by itself.
REDOC_OUTSIDE_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
NO_IMAGE = "data:,"

# Both viewers write style attributes; scripts stay as strict as anywhere else.
viewer_policy = csp_update({"style-src": [SELF, UNSAFE_INLINE]})


Endpoint = tuple[str, str, str, Any]


def without_last_slash(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Show each address as people type it; the slash at its end is optional."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


class SchemaView(SpectacularAPIView):
    """OpenAPI 3 as JSON, which YAML readers take too; `?format=yaml` for YAML."""

    renderer_classes = [
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
    ]


schema = SchemaView.as_view()
swagger = viewer_policy(SpectacularSwaggerSplitView.as_view())
redoc = viewer_policy(SpectacularRedocView.as_view())


@lru_cache(maxsize=1)
def local_redoc_bundle() -> str:
    """Return ReDoc's script without its one outside image."""
    path = finders.find(REDOC_BUNDLE)
    if not isinstance(path, str):
        raise FileNotFoundError(REDOC_BUNDLE)
    return Path(path).read_text("utf-8").replace(REDOC_OUTSIDE_LOGO, NO_IMAGE)


@require_safe
@cache_control(public=True, max_age=24 * 3600)
@gzip_page
def redoc_bundle(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        local_redoc_bundle(), content_type="text/javascript; charset=utf-8"
    )
