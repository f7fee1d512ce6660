"""Redis as a cache that may go away at any time: requests go on, and nobody waits.

While Redis does not answer, throttles count in the memory of each process, as they do
without a REDIS_URL, and sessions come from the database, where they are as well. It is
asked again every few seconds, and the log has a line for its end and for its return.
"""

import logging
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two questions to a server that is gone
OPTIONS: dict[str, Any] = {
    # A server that is gone costs a request this long every PAUSE seconds at most.
    "socket_connect_timeout": 1,
    "socket_timeout": 1,
    # Once, for a connection that a restart of the server has closed.
    "retry": Retry(NoBackoff(), 1),
}
# What a session's cache may say that the database says no longer: if a process dies
# that could not tell Redis of a logout.
SESSION_SECONDS = 300


@dataclass
class Outage:
    """What this process knows of a server that went away, for all of its threads."""

    asked_again: float = 0.0  # on the monotonic clock; 0 while the server answers
    owed: set[str] = field(default_factory=set)  # keys that it was to forget
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begins(self, error: Exception) -> None:
        with self.lock:
            known, self.asked_again = self.asked_again, time.monotonic() + PAUSE
        if not known:
            logger.error("Redis does not answer (%s).", type(error).__name__)

    def ends(self) -> None:
        if not self.asked_again:
            return
        with self.lock:
            known, self.asked_again = self.asked_again, 0.0
        if known:
            logger.warning("Redis answers again.")


# Django makes a cache for each thread; they share what is known of their server.
_outages: defaultdict[str, Outage] = defaultdict(Outage)


class ThrottleCache(BaseCache):
    """Redis, and this process's own memory while Redis does not answer."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.redis: BaseCache = RedisCache(server, params)
        self.instead: BaseCache = LocMemCache("without-redis", {})
        self.outage = _outages[server]

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Ask Redis or, where it does not answer, the substitute."""
        if time.monotonic() >= self.outage.asked_again:
            try:
                answer = self.ask(method, *arguments, **options)
            except (RedisError, OSError) as error:
                self.outage.begins(error)
            else:
                self.outage.ends()
                return answer
        return self.ask_instead(method, *arguments, **options)

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self.redis, method)(*arguments, **options)

    def ask_instead(self, method: str, *arguments: Any, **options: Any) -> Any:
        return getattr(self.instead, method)(*arguments, **options)

    def add(self, *arguments: Any, **options: Any) -> bool:
        return bool(self.call("add", *arguments, **options))

    def get(self, *arguments: Any, **options: Any) -> Any:
        return self.call("get", *arguments, **options)

    def set(self, *arguments: Any, **options: Any) -> None:
        self.call("set", *arguments, **options)

    def touch(self, *arguments: Any, **options: Any) -> bool:
        return bool(self.call("touch", *arguments, **options))

    def delete(self, *arguments: Any, **options: Any) -> bool:
        return bool(self.call("delete", *arguments, **options))

    def has_key(self, *arguments: Any, **options: Any) -> bool:
        return bool(self.call("has_key", *arguments, **options))

    def incr(self, *arguments: Any, **options: Any) -> int:
        return int(self.call("incr", *arguments, **options))

    def clear(self) -> None:
        self.call("clear")


class BriefRedis(RedisCache):
    """Redis in which nothing lives for longer than SESSION_SECONDS."""

    def get_backend_timeout(self, timeout: Any = DEFAULT_TIMEOUT) -> int:
        asked = super().get_backend_timeout(timeout)
        return SESSION_SECONDS if asked is None else min(int(asked), SESSION_SECONDS)


class SessionCache(ThrottleCache):
    """Redis, and nothing while it does not answer: the database knows every session.

    What changed meanwhile is removed before Redis is believed again, or a session that
    was ended would live on in it.
    """

    CHANGES = frozenset({"add", "set", "touch", "delete"})

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.redis, self.instead = BriefRedis(server, params), DummyCache("", {})

    def ask(self, method: str, *arguments: Any, **options: Any) -> Any:
        if owed := list(self.outage.owed):
            self.redis.delete_many(owed)
            self.outage.owed.difference_update(owed)
        return super().ask(method, *arguments, **options)

    def ask_instead(self, method: str, *arguments: Any, **options: Any) -> Any:
        if method in self.CHANGES:
            self.outage.owed.add(arguments[0])
        return super().ask_instead(method, *arguments, **options)


def configuration(url: str) -> dict[str, dict[str, Any]]:
    """Return Django's CACHES for the address of a Redis server, or for none."""
    if not url:
        memory = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        return {"default": memory, "sessions": memory}
    kinds = {"default": ThrottleCache, "sessions": SessionCache}
    return {
        alias: {
            "BACKEND": f"{__name__}.{kind.__name__}",
            "LOCATION": url,
            "OPTIONS": OPTIONS,
        }
        for alias, kind in kinds.items()
    }
