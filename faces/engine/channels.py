"""Rewriting convolutions so that ONNX Runtime keeps its layout from one to the next.

On a processor the runtime computes convolutions on blocks of channels, 16 with AVX-512
and 8 without. A tensor of 24 channels fills its blocks, is copied to plain order for
whatever follows, and back: SCRFD with 2.5 GFLOPs on 1920 x 1280 pixels takes 225 ms
with two threads, 194 with both steps of this module (ONNX Runtime 1.31).

- ``merge_siblings``: convolutions of one tensor that differ in their weights alone, the
  heads of a detector that keeps them (``faces.engine.heads`` takes most away before),
  become one whose channels are dealt out again.
- ``pad_channels``: zeros fill the last block of what passes between convolutions. A
  channel of zero weights and no bias is zero, and stays so through all that may follow.

Both compute the same function up to the order of sums. Where a graph reads the sizes of
a padded tensor they change: compare the results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from scipy.cluster.hierarchy import DisjointSet

from faces.engine.optimise import drop_dead

Array = NDArray[Any]

_AVX_512F: Final = 13  # cv::CpuFeatures::CPU_AVX_512F, which the Python module lacks
# Zero in, zero out, whatever the other channels hold.
_KEEPS_ZERO: Final = ("Add", "AveragePool", "MaxPool", "Relu", "Resize")


def block_size() -> int:
    """Channels in a block of this processor's convolutions."""
    return 16 if cv2.checkHardwareSupport(_AVX_512F) else 8


def in_blocks(model: bytes, *, block: int) -> bytes:
    """The serialised model after both steps, for blocks of ``block`` channels."""
    rewritten = onnx.load_from_string(model)
    merge_siblings(rewritten, block=block)
    pad_channels(rewritten.graph, block=block)
    drop_dead(rewritten.graph)
    return bytes(rewritten.SerializeToString())


def merge_siblings(model: onnx.ModelProto, *, block: int) -> None:
    """Make one convolution of those with one input where that saves blocks."""
    graph = model.graph
    weights = _constants(graph)
    nodes = list(graph.node)
    for siblings in _siblings(nodes, weights):
        widths = [weights[node.input[1]].shape[0] for node in siblings]
        apart = sum(_rounded(width, block) for width in widths)
        if apart <= _rounded(sum(widths), block):
            continue
        whole = onnx.NodeProto()
        whole.CopyFrom(siblings[0])
        whole.name = whole.output[0] = f"{siblings[0].output[0]}_siblings"
        for place, part in ((1, "weight"), (2, "bias")):
            parts = [weights[node.input[place]] for node in siblings]
            whole.input[place] = _add_constant(
                graph, f"{whole.name}_{part}", np.concatenate(parts)
            )
        dealt = _split(model, whole, [node.output[0] for node in siblings], widths)
        first = nodes.index(siblings[0])
        nodes[first : first + 1] = [whole, dealt]
        for node in siblings[1:]:
            nodes.remove(node)
    del graph.node[:]
    graph.node.extend(nodes)


def pad_channels(graph: onnx.GraphProto, *, block: int) -> None:
    """Widen tensors to whole blocks, and the weights around them.

    Only those of more than half a block that convolutions make and that nothing sees
    but what keeps zeros zero.
    """
    weights = _constants(graph)
    wider = _wider(graph, weights, block)
    for node in graph.node:
        into, out = (wider.get(name) for name in (node.input[0], node.output[0]))
        if node.op_type != "Conv" or not (into or out):
            continue
        kernel = weights[node.input[1]]
        dense = _group(node) == 1
        if not dense:
            _set_group(node, out or kernel.shape[0])
        sizes = (out or kernel.shape[0], (into if dense else None) or kernel.shape[1])
        name = f"{node.output[0]}_wide"
        node.input[1] = _add_constant(graph, f"{name}_weight", _filled(kernel, sizes))
        if len(node.input) > 2 and out:
            bias = _filled(weights[node.input[2]], (out,))
            node.input[2] = _add_constant(graph, f"{name}_bias", bias)


def _wider(
    graph: onnx.GraphProto, weights: dict[str, Array], block: int
) -> dict[str, int]:
    """Name of a tensor → how many channels it gets."""
    alike: DisjointSet = DisjointSet()
    widths: dict[str, int] = {}
    fixed = {value.name for value in (*graph.input, *graph.output)}
    for node in graph.node:
        tensors = [name for name in node.input if name and name not in weights]
        for name in (*tensors, *node.output):
            alike.add(name)
        linked = _linked(node, weights)
        if linked is None:
            fixed.update(tensors, node.output)
            continue
        for name in linked:
            alike.merge(name, node.output[0])
        if node.op_type == "Conv":
            widths[node.output[0]] = weights[node.input[1]].shape[0]
    wider: dict[str, int] = {}
    for names in alike.subsets():
        found = {widths[name] for name in names if name in widths}
        if len(found) != 1 or names & fixed:
            continue
        width = found.pop()
        if width % block and width > block // 2:
            wider |= dict.fromkeys(names, _rounded(width, block))
    return wider


def _linked(node: onnx.NodeProto, weights: dict[str, Array]) -> list[str] | None:
    """Inputs of a node that have as many channels as its output.

    None where the channels must stay what they are.
    """
    if _is_convolution(node, weights):
        if _group(node) == 1:
            return []
        kernel = weights[node.input[1]]
        is_depthwise = (_group(node), 1) == kernel.shape[:2]
        return [node.input[0]] if is_depthwise else None
    if node.op_type == "Shape":
        return []
    if node.op_type == "Resize":
        return [node.input[0]]
    has_constants = any(name in weights for name in node.input)
    if node.op_type in _KEEPS_ZERO and not has_constants:
        return list(node.input)
    return None


def _siblings(
    nodes: Iterable[onnx.NodeProto], weights: dict[str, Array]
) -> list[list[onnx.NodeProto]]:
    """Dense convolutions with a bias that differ in weights and outputs alone."""
    found = defaultdict(list)
    for node in nodes:
        has_bias = len(node.input) == 3
        if _is_convolution(node, weights) and has_bias and _group(node) == 1:
            settings = sorted(one.SerializeToString() for one in node.attribute)
            shape = weights[node.input[1]].shape[1:]
            found[(node.input[0], shape, *settings)].append(node)
    return list(found.values())


def _is_convolution(node: onnx.NodeProto, weights: dict[str, Array]) -> bool:
    """Whether it is one with constant weights."""
    constant = all(name in weights for name in node.input[1:])
    return node.op_type == "Conv" and constant


def _split(
    model: onnx.ModelProto,
    whole: onnx.NodeProto,
    outputs: list[str],
    widths: list[int],
) -> onnx.NodeProto:
    """The node that deals channels out; since opset 13 the sizes are an input."""
    opset = next(one.version for one in model.opset_import if not one.domain)
    source = whole.output[0]
    if opset < 13:
        return helper.make_node("Split", [source], outputs, axis=1, split=widths)
    sizes = _add_constant(model.graph, f"{source}_sizes", np.array(widths, np.int64))
    return helper.make_node("Split", [source, sizes], outputs, axis=1)


def _constants(graph: onnx.GraphProto) -> dict[str, Array]:
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


def _add_constant(graph: onnx.GraphProto, name: str, values: Array) -> str:
    graph.initializer.append(numpy_helper.from_array(values, name))
    return name


def _filled(values: Array, sizes: tuple[int, ...]) -> Array:
    """``values`` with zeros behind, up to ``sizes`` of the first axes."""
    missing = [size - have for size, have in zip(sizes, values.shape, strict=False)]
    missing += [0] * (values.ndim - len(missing))
    return np.pad(values, [(0, count) for count in missing])


def _group(node: onnx.NodeProto) -> int:
    return next((int(one.i) for one in node.attribute if one.name == "group"), 1)


def _set_group(node: onnx.NodeProto, groups: int) -> None:
    for one in node.attribute:
        if one.name == "group":
            one.i = groups


def _rounded(width: int, block: int) -> int:
    return -(-width // block) * block
