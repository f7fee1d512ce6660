"""Keep a crash from writing a process's memory, photos and keys included, to a disk."""

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]


def forbid() -> None:
    """Set the limit of core dumps to 0 for this process and all it starts."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
