"""A recogniser with the shape of `w600k_r50` and random weights, for timing alone.

IResNet-50 (Duta et al., "Improved Residual Networks", 2020) as ArcFace exports it: four
stages of 3, 4, 14 and 3 blocks, each a normalisation and two convolutions with PReLU
between them; 112 x 112 pixels in, 512 numbers out. Its answers mean nothing, but it
costs what the real network costs, and may be made and used everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

STAGES: Final = ((64, 3), (128, 4), (256, 14), (512, 3))  # channels and blocks
DIMENSION: Final = 512


class _Graph:
    """Collects nodes and random constants; every method returns its output's name."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def convolution(
        self, source: str, channels: tuple[int, int], *, kernel: int, stride: int = 1
    ) -> str:
        into, out = channels
        # He's initialisation keeps values in range through fifty layers.
        scale = np.sqrt(2 / (into * kernel * kernel))
        weights = self._random.normal(0, scale, (out, into, kernel, kernel))
        inputs = [source, self._constant(weights), self._constant(np.zeros(out))]
        sizes = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2}
        return self._node("Conv", inputs, **sizes, pads=[kernel // 2] * 4)

    def slope(self, source: str, channels: int) -> str:
        slopes = self._random.uniform(0.1, 0.4, (channels, 1, 1))
        return self._node("PRelu", [source, self._constant(slopes)])

    def normalise(self, source: str, channels: int) -> str:
        values = (np.ones, np.zeros, np.zeros, np.ones)
        inputs = [source, *(self._constant(make(channels)) for make in values)]
        return self._node("BatchNormalization", inputs, epsilon=1e-5)

    def add(self, one: str, other: str) -> str:
        return self._node("Add", [one, other])

    def dense(self, source: str, size: tuple[int, int]) -> str:
        flat = self._node("Flatten", [source], axis=1)
        weights = self._random.normal(0, 1 / np.sqrt(size[0]), (size[1], size[0]))
        inputs = [flat, self._constant(weights), self._constant(np.zeros(size[1]))]
        return self._node("Gemm", inputs, transB=1)

    def _node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def _constant(self, values: NDArray[np.float64]) -> str:
        name = f"constant_{len(self.constants)}"
        tensor = numpy_helper.from_array(values.astype(np.float32), name)
        self.constants.append(tensor)
        return name


def write_iresnet50(path: Path, *, seed: int = 2026) -> None:
    """Write the network to ``path``: 174 MB, batch of any size."""
    graph = _Graph(seed)
    out = graph.slope(graph.convolution("input.1", (3, 64), kernel=3), 64)
    channels = 64
    for width, blocks in STAGES:
        for number in range(blocks):
            out = _block(graph, out, (channels, width), stride=2 if number == 0 else 1)
            channels = width
    out = graph.dense(graph.normalise(out, channels), (channels * 7 * 7, DIMENSION))
    out = graph.normalise(out, DIMENSION)
    image, embedding = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
        for name, shape in (("input.1", [3, 112, 112]), (out, [DIMENSION]))
    )
    made = helper.make_graph(
        graph.nodes, "iresnet50", [image], [embedding], graph.constants
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(made, opset_imports=opset, ir_version=8), str(path))


def _block(
    graph: _Graph, source: str, channels: tuple[int, int], *, stride: int
) -> str:
    into, out = channels
    path = graph.convolution(graph.normalise(source, into), channels, kernel=3)
    path = graph.slope(path, out)
    path = graph.convolution(path, (out, out), kernel=3, stride=stride)
    if stride == 1:
        return graph.add(path, source)
    return graph.add(path, graph.convolution(source, channels, kernel=1, stride=stride))
