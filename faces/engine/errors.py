"""What can be wrong with a photo, and what can be wrong with the engine.

Every error carries a stable ``code`` for programs and a ``detail`` that tells a
person what to do next. Neither ever holds anything taken from the image.
"""

from __future__ import annotations

from typing import ClassVar


class FaceError(Exception):
    """A photo, or a face on it, that cannot be used.

    ``status`` is the HTTP status that suits the code; ``extra`` holds figures such
    as the measured and the needed value, ready for JSON.
    """

    code: ClassVar[str] = "face_error"
    status: ClassVar[int] = 422
    default_detail: ClassVar[str] = "This photo cannot be used. Take another one."

    def __init__(self, detail: str = "", **extra: object) -> None:
        self.detail = detail or self.default_detail
        self.extra: dict[str, object] = extra
        super().__init__(self.detail)


class UnreadableImage(FaceError):
    code = "unreadable_image"
    default_detail = "The photo is damaged or incomplete. Take or send it again."


class UnsupportedFormat(FaceError):
    code = "unsupported_format"
    default_detail = "Send a single JPEG, PNG, WebP or HEIC photo."


class ImageTooSmall(FaceError):
    code = "image_too_small"
    default_detail = "The photo is too small. Send a larger one."


class ImageTooLarge(FaceError):
    code = "image_too_large"
    status = 413
    default_detail = "The photo is too large. Send a smaller one."


class NoFace(FaceError):
    code = "no_face"
    default_detail = (
        "No face was found. Look at the camera in good light and try again."
    )


class MultipleFaces(FaceError):
    code = "multiple_faces"
    default_detail = (
        "More than one face was found. Only one person may be on the photo."
    )


class FaceTooSmall(FaceError):
    code = "face_too_small"
    default_detail = "Come closer: the face is too small."


class LowDetectionScore(FaceError):
    code = "low_detection_score"
    default_detail = (
        "The face is hard to make out. Uncover it, face the light and try again."
    )


class Blurry(FaceError):
    code = "blurry"
    default_detail = "The face is blurred. Hold still and let the camera focus."


class TooDark(FaceError):
    code = "too_dark"
    default_detail = "The face is too dark. Turn towards the light."


class TooBright(FaceError):
    code = "too_bright"
    default_detail = "The face is too bright. Step out of the direct light."


class ExtremePose(FaceError):
    code = "extreme_pose"
    default_detail = "Look straight into the camera."


class FaceCutOff(FaceError):
    code = "face_cut_off"
    default_detail = "The face is cut off by the edge. Move to the middle of the photo."


class EngineError(Exception):
    """The engine cannot answer now; the photo is not to blame."""

    code: ClassVar[str] = "engine_unavailable"
    status: ClassVar[int] = 503

    def __init__(self, detail: str, **extra: object) -> None:
        self.detail = detail
        self.extra: dict[str, object] = extra
        super().__init__(detail)


class EngineUnavailable(EngineError):
    """The engine failed or has not been started."""


class OutOfMemory(EngineUnavailable):
    """A run needed more memory than the device, or this machine, has left."""

    def __init__(
        self,
        detail: str = "The face engine is short of memory. Try again in a moment.",
        *,
        retry_after: int = 5,
    ) -> None:
        super().__init__(detail, reason="out_of_memory", retry_after=retry_after)


class EngineBusy(EngineError):
    """More photos are waiting than can be answered in time."""

    code = "engine_busy"

    def __init__(
        self,
        detail: str = "Many photos are being processed. Try again in a moment.",
        *,
        retry_after: int = 1,
    ) -> None:
        self.retry_after = retry_after  # seconds
        super().__init__(detail, retry_after=retry_after)


class ConfigurationError(EngineError):
    """A wrong pack, file, hash or device.

    ``str(error)`` is one line for whoever runs the server: it says what to change and
    may name files. ``detail`` is for clients and never does.
    """

    def __init__(self, line: str) -> None:
        super().__init__("The face engine is not set up. Ask whoever runs the server.")
        self.args = (line,)
