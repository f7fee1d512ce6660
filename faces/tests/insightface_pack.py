"""A pack of InsightFace's kind without anybody's weights: networks made on the spot.

For the detector a white square of 16 pixels is a face; the recogniser is a small
residual network with random weights and 512 numbers a face.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from faces.engine.types import Image
from faces.tests.test_optimise import iresnet_like

DIMENSION: Final = 512
SQUARE: Final = 16  # pixels; the stride at which the detector looks
_STRIDES: Final = (8, 16, 32)
_ANCHORS: Final = 2  # a cell, as SCRFD has
# The face as seen from the square's upper left corner, in squares.
_BOX: Final = (1.0, 0.5, 2.0, 2.5)  # to the left, top, right and bottom
_POINTS: Final = (0.1, 0.4, 0.9, 0.4, 0.5, 0.9, 0.2, 1.4, 0.8, 1.4)


def write_pack(
    folder: Path, *, detector: str = "det.onnx", recogniser: str = "embed.onnx"
) -> Path:
    """A folder with a detector, a recogniser, and a network for something else."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / detector).write_bytes(square_detector())
    (folder / recogniser).write_bytes(iresnet_like(DIMENSION))
    (folder / "genderage.onnx").write_bytes(iresnet_like(3))
    return folder


def photo_with_squares(
    *corners: tuple[int, int], height: int = 200, width: int = 240
) -> Image:
    """A black photo with a face at each (left, top), which are multiples of 16."""
    photo = np.zeros((height, width, 3), np.uint8)
    for left, top in corners:
        photo[top : top + SQUARE, left : left + SQUARE] = 255
    return photo


def box_at(left: int, top: int) -> tuple[float, float, float, float]:
    """(x, y, width, height) of the face whose square has this corner."""
    to_left, to_top, to_right, to_bottom = (SQUARE * part for part in _BOX)
    return left - to_left, top - to_top, to_left + to_right, to_top + to_bottom


def points_at(left: int, top: int) -> np.ndarray:
    """float32 (5, 2) of the face whose square has this corner."""
    points = np.array(_POINTS, np.float32).reshape(5, 2) * SQUARE
    return points + np.array([left, top], np.float32)


@cache
def square_detector() -> bytes:
    """SCRFD's inputs and outputs: scores, boxes and points at three strides."""
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def node(kind: str, inputs: list[str], output: str, **options: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output

    def rows(source: str, name: str, width: int) -> str:
        """Cells of a map (1, c, h, w) as rows (-1, width), as SCRFD writes them."""
        turned = node("Transpose", [source], f"{name}_turned", perm=[2, 3, 0, 1])
        shape = constant(f"{name}_shape", np.array([-1, width], np.int64))
        return node("Reshape", [turned, shape], name)

    nothing = constant("nothing", np.zeros((1, 1, 1, 1), np.float32))
    scores: list[str] = []
    boxes: list[str] = []
    points: list[str] = []
    for stride in _STRIDES:
        sides = [stride, stride]
        mean = node(
            "AveragePool",
            ["input.1"],
            f"mean{stride}",
            kernel_shape=sides,
            strides=sides,
        )
        red_to_blue = constant(
            f"grey{stride}", np.full((1, 3, 1, 1), 1 / 3, np.float32)
        )
        light = node("Conv", [mean, red_to_blue], f"light{stride}")
        seen = node("Relu", [light], f"seen{stride}")
        dark = node("Mul", [seen, nothing], f"dark{stride}")
        first = seen if stride == SQUARE else dark
        pair = node("Concat", [first, dark], f"pair{stride}", axis=1)
        scores.append(rows(pair, f"score{stride}", 1))
        for values, outputs, name in ((_BOX, boxes, "box"), (_POINTS, points, "point")):
            same = np.tile(np.array(values, np.float32), _ANCHORS).reshape(1, -1, 1, 1)
            everywhere = constant(f"{name}_values{stride}", same)
            spread = node("Add", [dark, everywhere], f"{name}_map{stride}")
            outputs.append(rows(spread, f"{name}{stride}", len(values)))
    image = helper.make_tensor_value_info(
        "input.1", TensorProto.FLOAT, [1, 3, "height", "width"]
    )
    found = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["cells", width])
        for names, width in ((scores, 1), (boxes, 4), (points, 10))
        for name in names
    ]
    graph = helper.make_graph(nodes, "squares", [image], found, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())
