"""Tell a load balancer or a container runtime whether this process can work."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from faces import runtime
from faces.engine.errors import EngineError

logger = logging.getLogger(__name__)

RETRY_AFTER = "5"  # seconds


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process answers at all."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 once a photo can be looked at and written down, 503 until then.

    Where nothing warmed the engine up (a development server), this call does.
    """
    database, engine = database_answers(), engine_report()
    is_ready = database and engine is not None
    report = {
        "status": "ok" if is_ready else "unavailable",
        "database": "ok" if database else "unavailable",
        "engine": engine,
    }
    if is_ready:
        return JsonResponse(report)
    return JsonResponse(report, status=503, headers={"Retry-After": RETRY_AFTER})


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        # Its message may name the host and the user: to the log alone.
        logger.error("The database does not answer: %s", error)
        return False
    return True


def engine_report() -> dict[str, object] | None:
    """Return the engine's figures, or None where it can't be made."""
    try:
        engine = runtime.get_engine()
    except EngineError as error:
        logger.error("The face engine can't start: %s", error)
        return None
    return {
        "model": engine.pack.name,
        "model_id": engine.model_id,
        "provider": engine.provider,
        "warm_up_ms": round(engine.warm_up_ms or 0),
    }
