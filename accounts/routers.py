"""A router whose addresses answer with and without their last slash."""

from rest_framework.routers import SimpleRouter


class Router(SimpleRouter):
    def __init__(self) -> None:
        super().__init__()
        # The stock option is a switch: it takes no pattern.
        self.trailing_slash = "/?"
