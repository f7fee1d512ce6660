"""What `manage.py check` and the development server say of the face model."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from faces import runtime


@register()
def face_model_is_here(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Report a model that is unknown, missing or not the published one."""
    try:
        runtime.check_configuration()
    except ImproperlyConfigured as error:
        return [Error(str(error), id="faces.E001")]
    return []
