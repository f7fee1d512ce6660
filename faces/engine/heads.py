"""A detector's last convolutions, computed where a face is.

SCRFD ends in three convolutions at every stride: scores, boxes and points. Of 100,800
anchors on 1920 x 1280 pixels a few hundred score, and nobody reads the boxes and points
of the others. Scores are so few numbers a cell that a product for each place of the
kernel, added up afterwards, fills the processor's registers better than a convolution
does. Together that saves 9 of 192 ms (2.5 GFLOPs, two threads, ONNX Runtime 1.31).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from scipy.special import expit, logit

from faces.engine.optimise import drop_dead
from faces.engine.sessions import Session
from faces.engine.types import FloatArray

_PARTS: Final = 3  # scores, boxes and points
_SAME_VALUES: Final = ("Reshape", "Transpose")


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The convolution behind one output of a detector.

    ``features`` names its input (1, C, H, W); ``kernel`` is (A·width, C, k, k) and
    ``bias`` (A·width,) for A anchors a cell and ``width`` numbers an anchor.
    """

    features: str
    kernel: FloatArray
    bias: FloatArray
    width: int

    @property
    def name_of_taps(self) -> str:
        """Name of the tensor that ``add_taps`` makes."""
        return f"{self.features}_taps"

    @property
    def side(self) -> int:
        """k: width and height of the kernel."""
        return int(self.kernel.shape[-1])

    def at(self, features: FloatArray, anchors: NDArray[np.intp]) -> FloatArray:
        """(n, width) of n anchors, counted through the cells of a map row by row."""
        per_cell = self.bias.size // self.width
        cells, which = np.divmod(anchors, per_cell)
        weights = self.kernel.reshape(len(self.kernel), -1)
        # Not `@`: threads of BLAS spin for 50 ms afterwards and slow the next network.
        values = np.einsum("np,cp->nc", _patches(features, cells, self.side), weights)
        values += self.bias
        rows = values.reshape(-1, per_cell, self.width)
        return np.asarray(rows[np.arange(cells.size), which])

    def everywhere(self, taps: FloatArray) -> FloatArray:
        """(n, width) of all anchors, from the tensor that ``add_taps`` makes."""
        height, width = taps.shape[2:]
        margin = self.side // 2
        taps = taps.reshape(self.side, self.side, -1, height, width)
        found = np.empty((self.bias.size, height, width), np.float32)
        found[:] = self.bias[:, None, None]
        for row in range(self.side):
            for column in range(self.side):
                to_y, from_y = _overlap(row - margin, height)
                to_x, from_x = _overlap(column - margin, width)
                found[:, to_y, to_x] += taps[row, column, :, from_y, from_x]
        return np.moveaxis(found, 0, -1).reshape(-1, self.width)


@dataclass(frozen=True, slots=True, eq=False)
class SparseSession:
    """A detector's session with the outputs it had before ``split``.

    Scores, boxes and points are zero where the score is below ``threshold`` (0-1).
    """

    session: Session
    heads: Sequence[Head]
    outputs: Sequence[Any]
    threshold: float

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]:
        """All outputs, whatever is asked for."""
        found = dict(
            zip(
                names_of_outputs(self.heads),
                self.session.run(None, input_feed),
                strict=True,
            )
        )
        levels = len(self.heads) // _PARTS
        anchors, outputs = [], []
        for head in self.heads[:levels]:
            scores = head.everywhere(found[head.name_of_taps])
            chosen = np.flatnonzero(scores >= logit(np.float32(self.threshold)))
            anchors.append(chosen)
            outputs.append(_spread(expit(scores[chosen]), chosen, len(scores)))
        for place, head in enumerate(self.heads[levels:]):
            chosen = anchors[place % levels]
            values = head.at(found[head.features], chosen)
            outputs.append(_spread(values, chosen, len(outputs[place % levels])))
        return outputs

    def get_providers(self) -> list[str]:
        """Providers of the session behind."""
        return self.session.get_providers()

    def get_inputs(self) -> list[Any]:
        """Inputs of the session behind."""
        return self.session.get_inputs()

    def get_outputs(self) -> list[Any]:
        """Scores, boxes and points, each at every stride."""
        return list(self.outputs)


def split(model: bytes) -> tuple[bytes, list[Head]]:
    """A detector without its last convolutions, and these: one for every output.

    The model itself and no heads where it ends in something else.
    """
    light = onnx.load_from_string(model)
    graph = light.graph
    names = [one.name for one in graph.output]
    levels = len(names) // _PARTS
    makers = {name: node for node in graph.node for name in node.output}
    constants = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    found = [
        _head(name, "Sigmoid" if place < levels else "Identity", makers, constants)
        for place, name in enumerate(names)
    ]
    heads = [one for one in found if one is not None]
    if len(heads) < len(found) or len(names) != levels * _PARTS:
        return model, []
    for head in heads[:levels]:
        add_taps(graph, head)
    del graph.output[:]
    graph.output.extend(
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        for name in names_of_outputs(heads)
    )
    drop_dead(graph)
    return bytes(light.SerializeToString()), heads


def names_of_outputs(heads: Sequence[Head]) -> list[str]:
    """What a detector gives after ``split``: taps of the scores, then features."""
    levels = len(heads) // _PARTS
    return [
        *(head.name_of_taps for head in heads[:levels]),
        *dict.fromkeys(head.features for head in heads[levels:]),
    ]


def add_taps(graph: onnx.GraphProto, head: Head) -> None:
    """Compute the products of each place of a kernel apart: (1, k·k·A·width, H, W)."""
    channels = head.kernel.shape[1]
    taps = head.kernel.transpose(2, 3, 0, 1).reshape(-1, channels, 1, 1)
    weight = numpy_helper.from_array(
        np.ascontiguousarray(taps), f"{head.name_of_taps}_weight"
    )
    graph.initializer.append(weight)
    graph.node.append(
        helper.make_node("Conv", [head.features, weight.name], [head.name_of_taps])
    )


def _head(
    output: str,
    activation: str,
    makers: dict[str, onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
) -> Head | None:
    """The convolution that ``output`` shows as rows of an anchor each, if one does.

    ``makers`` are the nodes by the names of their outputs.
    """
    scale = np.ones((), np.float32)
    width, ends_in = 0, "Identity"
    node = makers.get(output)
    while node is not None and node.op_type != "Conv":
        constant = constants.get(node.input[-1], np.empty(0))
        if node.op_type == "Reshape" and not width and constant.size:
            width = int(constant[-1])
        elif node.op_type == "Sigmoid":
            ends_in = node.op_type
        elif node.op_type == "Mul" and constant.size == 1:
            scale = scale * constant.reshape(())
        elif node.op_type not in _SAME_VALUES:
            return None
        node = makers.get(node.input[0])
    if node is None or not _is_plain(node, constants):
        return None
    kernel, bias = (constants[name] * scale for name in node.input[1:])
    if width < 1 or bias.size % width or ends_in != activation:
        return None
    return Head(node.input[0], kernel, bias, width)


def _is_plain(node: onnx.NodeProto, constants: dict[str, NDArray[Any]]) -> bool:
    """Whether it is a dense, square convolution with a bias that keeps the size."""
    if len(node.input) != 3 or not all(name in constants for name in node.input[1:]):
        return False
    stated = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    side, other = constants[node.input[1]].shape[2:]
    return bool(
        side == other
        and side % 2
        and stated.get("group", 1) == 1
        and set(stated.get("strides", [1])) == {1}
        and set(stated.get("dilations", [1])) == {1}
        and set(stated.get("pads", [0])) == {side // 2}
    )


def _patches(
    features: FloatArray, cells: NDArray[np.intp], side: int
) -> NDArray[np.float32]:
    """What a kernel sees around each cell, zeros outside the map: (n, C·k·k)."""
    channels, height, width = features.shape[1:]
    offsets = np.arange(side) - side // 2
    row, column = (part[:, None, None] for part in np.divmod(cells, width))
    rows, columns = np.broadcast_arrays(row + offsets[:, None], column + offsets)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = np.where(inside, rows * width + columns, 0)
    seen = features.reshape(channels, -1).take(places.ravel(), axis=1)
    seen = seen.reshape(channels, *inside.shape) * inside
    return np.asarray(seen.swapaxes(0, 1).reshape(cells.size, channels * side**2))


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Where a shifted row lies in the one it is added to, and which part of it does."""
    return (
        slice(max(-shift, 0), size - max(shift, 0)),
        slice(max(shift, 0), size - max(-shift, 0)),
    )


def _spread(
    values: FloatArray, places: NDArray[np.intp], length: int
) -> NDArray[np.float32]:
    """``values`` (n, width) at ``places`` of ``length`` rows, zeros elsewhere."""
    spread = np.zeros((length, values.shape[1]), np.float32)
    spread[places] = values
    return spread
