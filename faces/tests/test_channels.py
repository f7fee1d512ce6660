"""Convolutions in whole blocks of channels compute what they computed before."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faces.engine import channels, sessions

Array = NDArray[np.float32]
HEADS = (2, 8, 20)


def detector_like(*, opset: int = 13, depthwise: bool = False) -> bytes:
    """Convolutions of 12 and 24 channels, a residual, a pyramid, and three heads."""
    random = np.random.default_rng(3)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def conv(source: str, name: str, sizes: tuple[int, int], **options: object) -> str:
        out, into = sizes
        for part, shape in (("w", (out, into, 3, 3)), ("b", (out,))):
            values = random.normal(0, 0.3 / np.sqrt(into), shape).astype(np.float32)
            constants.append(numpy_helper.from_array(values, f"{name}_{part}"))
        inputs = [source, f"{name}_w", f"{name}_b"]
        nodes.append(
            helper.make_node("Conv", inputs, [name], pads=[1] * 4, **options)  # type: ignore[arg-type]
        )
        return name

    def node(kind: str, inputs: list[str], name: str, **options: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], **options))  # type: ignore[arg-type]
        return name

    stem = node("Relu", [conv("image", "stem", (12, 3), strides=[2, 2])], "stem_on")
    wide = node("Relu", [conv(stem, "wide", (24, 12))], "wide_on")
    if depthwise:
        wide = conv(wide, "each", (24, 1), group=24)
    same = conv(wide, "same", (24, 24))
    total = node("Relu", [node("Add", [wide, same], "sum")], "sum_on")
    small = node("MaxPool", [total], "small", kernel_shape=[2, 2], strides=[2, 2])
    constants.append(
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "twice")
    )
    constants.append(numpy_helper.from_array(np.empty(0, np.float32), "roi"))
    large = node("Resize", [small, "roi", "twice"], "large", mode="nearest")
    top = node("Add", [large, total], "top")
    heads = [conv(top, f"head{size}", (size, 24)) for size in HEADS]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 32, 48])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size, 16, 24])
            for name, size in zip(heads, HEADS, strict=True)
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def answers(model: bytes) -> list[Array]:
    session = ort.InferenceSession(model, providers=[sessions.CPU])
    image = np.random.default_rng(1).normal(size=(1, 3, 32, 48)).astype(np.float32)
    return [np.asarray(one) for one in session.run(None, {"image": image})]


def widths(model: bytes) -> list[int]:
    """Channels that each convolution gives, in the order of the graph."""
    graph = onnx.load_from_string(model).graph
    shapes = {one.name: one.dims for one in graph.initializer}
    return [shapes[one.input[1]][0] for one in graph.node if one.op_type == "Conv"]


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("depthwise", [False, True])
def test_the_answers_stay(opset: int, depthwise: bool) -> None:
    model = detector_like(opset=opset, depthwise=depthwise)

    rewritten = channels.in_blocks(model, block=16)

    for found, expected in zip(answers(rewritten), answers(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_blocks_are_filled_and_heads_become_one() -> None:
    model = detector_like()
    assert widths(model) == [12, 24, 24, *HEADS]

    assert widths(channels.in_blocks(model, block=16)) == [16, 32, 32, sum(HEADS)]


def test_what_fills_its_blocks_is_left_alone() -> None:
    assert widths(channels.in_blocks(detector_like(), block=4))[:3] == [12, 24, 24]


def test_a_tensor_that_others_see_keeps_its_channels() -> None:
    model = onnx.load_from_string(detector_like())
    seen = helper.make_tensor_value_info("wide_on", TensorProto.FLOAT, [1, 24, 16, 24])
    model.graph.output.append(seen)

    rewritten = channels.in_blocks(bytes(model.SerializeToString()), block=16)

    assert widths(rewritten)[1] == 24
    assert answers(rewritten)[-1].shape == (1, 24, 16, 24)
