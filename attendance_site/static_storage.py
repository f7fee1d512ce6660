"""Static files under names that change with their content, once they are collected."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Give a file its lasting name, or its plain one where `collectstatic` never ran.

    So a laptop and a test need no collecting, and a forgotten one costs caching alone.
    """

    def stored_name(self, name: str) -> str:
        try:
            return str(super().stored_name(name))
        except ValueError:  # no manifest, or not in it
            return name
