"""What is published about InsightFace's packs: files, hashes, thresholds, licence."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

EMBEDDED: Final = "sface"

INSIGHTFACE_LICENCE: Final = "Non-commercial research only (InsightFace)"
LICENCE_PAGE: Final = "https://github.com/deepinsight/insightface#license"
LICENCE_TEXT: Final = f"""\
InsightFace's code is free (MIT); its trained models are not. Their makers allow the
models for non-commercial research only. A school that marks its register with them
needs the makers' permission first.
The terms: {LICENCE_PAGE}
The embedded pack '{EMBEDDED}' has no such limit."""

_RELEASES: Final = "https://github.com/deepinsight/insightface/releases/download"

# Cosine similarity. ResNet-50 on WebFace600K accepts one impostor pair in a million of
# InsightFace's multi-racial test set (MR-ALL) from 0.408 up.
WEBFACE_R50_THRESHOLD: Final = 0.408
# No figure is published for the others: above that of the better network.
CAUTIOUS_THRESHOLD: Final = 0.45
# Networks nobody here has measured. At 0.5 strangers are rare with every recogniser of
# the ArcFace kind that was tried (docs/engine.md), and people are missed instead.
UNKNOWN_THRESHOLD: Final = 0.5
MARGIN: Final = 0.05  # that of the embedded pack (benchmarks/calibration.md)

UNMEASURED: Final = (
    "not published; a careful value, run `manage.py faces_calibrate` after enrolment"
)


@dataclass(frozen=True, slots=True)
class Published:
    """What is known of a pack before its files are there.

    ``detector`` and ``recogniser`` are file names, empty for packages whose manifest
    names them. ``archive_sha256`` and ``sha256`` (by file name) hold what is published;
    what is missing there is unknown.
    """

    name: str
    url: str
    detector: str = ""
    recogniser: str = ""
    dimension: int = 512
    threshold: float = CAUTIOUS_THRESHOLD
    threshold_source: str = UNMEASURED
    archive_sha256: str = ""
    sha256: MappingProxyType[str, str] = field(
        default_factory=lambda: MappingProxyType({})
    )
    megabytes: int = 0  # of the archive

    @property
    def calibrated(self) -> bool:
        """Whether the threshold rests on a published measurement."""
        return self.threshold_source != UNMEASURED


_DET_10G: Final = {
    "det_10g.onnx": "5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91"
}
_DET_2_5G: Final = {
    "det_2.5g.onnx": "041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9"
}
_W600K_R50: Final = {
    "w600k_r50.onnx": "4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43"
}
_GLINTR100: Final = {
    "glintr100.onnx": "4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf"
}
_DET_500M: Final = {
    "det_500m.onnx": "5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a"
}
_W600K_MBF: Final = {
    "w600k_mbf.onnx": "9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f"
}
_R50_SOURCE: Final = "FAR 1e-6 on MR-ALL, published by InsightFace"

_PACKS: Final = (
    Published(
        name="buffalo_l",
        url=f"{_RELEASES}/v0.7/buffalo_l.zip",
        detector="det_10g.onnx",
        recogniser="w600k_r50.onnx",
        threshold=WEBFACE_R50_THRESHOLD,
        threshold_source=_R50_SOURCE,
        archive_sha256="80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f",
        sha256=MappingProxyType(_DET_10G | _W600K_R50),
        megabytes=289,
    ),
    Published(
        name="buffalo_m",
        url=f"{_RELEASES}/v0.7/buffalo_m.zip",
        detector="det_2.5g.onnx",
        recogniser="w600k_r50.onnx",
        threshold=WEBFACE_R50_THRESHOLD,
        threshold_source=_R50_SOURCE,
        archive_sha256="d98264bd8f2dc75cbc2ddce2a14e636e02bb857b3051c234b737bf3b614edca9",
        sha256=MappingProxyType(_DET_2_5G),
        megabytes=276,
    ),
    Published(
        name="buffalo_s",
        url=f"{_RELEASES}/v0.7/buffalo_s.zip",
        detector="det_500m.onnx",
        recogniser="w600k_mbf.onnx",
        megabytes=128,
    ),
    Published(
        name="buffalo_sc",
        url=f"{_RELEASES}/v0.7/buffalo_sc.zip",
        detector="det_500m.onnx",
        recogniser="w600k_mbf.onnx",
        archive_sha256="57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72",
        sha256=MappingProxyType(_DET_500M | _W600K_MBF),
        megabytes=15,
    ),
    Published(
        name="antelopev2",
        url=f"{_RELEASES}/v0.7/antelopev2.zip",
        detector="scrfd_10g_bnkps.onnx",
        recogniser="glintr100.onnx",
        archive_sha256="8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5",
        sha256=MappingProxyType(_GLINTR100),
        megabytes=361,
    ),
    Published(name="raccoon_s", url=f"{_RELEASES}/model-zoo/raccoon_s.zip"),
    Published(name="raccoon_l", url=f"{_RELEASES}/model-zoo/raccoon_l.zip"),
)

PACKS: Final = MappingProxyType({pack.name: pack for pack in _PACKS})
NAMES: Final = (EMBEDDED, *PACKS)
