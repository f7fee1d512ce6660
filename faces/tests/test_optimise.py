"""A rewritten graph computes what the original computes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faces.engine import alignment, optimise, packs, sessions
from faces.tests.real_engine import astronaut, group_photo, real_engine

Array = NDArray[np.float32]


def run(model: bytes, images: Array, *, optimised: bool = True) -> Array:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options, providers=[sessions.CPU])
    name = session.get_inputs()[0].name
    return np.asarray(session.run(None, {name: images})[0])


def one_by_one(model: bytes, images: Array) -> Array:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(model, options, providers=[sessions.CPU])
    name = session.get_inputs()[0].name
    rows = [session.run(None, {name: image[None]})[0] for image in images]
    return np.concatenate(rows)


def least_cosine(one: Array, other: Array) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(((a * b).sum(axis=1) / lengths).min())


@cache
def hundred_faces() -> Array:
    """float32 (100, 3, 112, 112): seven real people, turned, scaled and shaded."""
    random = np.random.default_rng(11)
    people = [
        (photo, face.landmarks)
        for photo in (group_photo(), astronaut())
        for face in real_engine().analyse(photo, embed=False)
    ]
    crops = []
    for index in range(100):
        photo, landmarks = people[index % len(people)]
        jitter = random.normal(0, 2.0, (5, 2)).astype(np.float32)
        crop = alignment.align(photo, landmarks + jitter)
        crops.append(crop.astype(np.float32) * random.uniform(0.6, 1.0))
    return np.ascontiguousarray(np.stack(crops)[..., ::-1].transpose(0, 3, 1, 2))


def sface_as_shipped() -> bytes:
    """The published file without the dead inputs, which the runtime would ask for."""
    path = packs.find_pack(packs.EMBEDDED).recogniser.path
    model = onnx.load_from_string(path.read_bytes())
    optimise.drop_dead(model.graph)
    return bytes(model.SerializeToString())


def iresnet_like(dimension: int = 512) -> bytes:
    """A residual network as ArcFace recognisers are built, with random weights."""
    random = np.random.default_rng(5)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def constant(name: str, values: NDArray[np.generic]) -> str:
        constants.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def block(source: str, index: int, depth: int, channels: int, stride: int) -> str:
        def name(part: str) -> str:
            return f"{part}{index}"

        weight = random.normal(0, 0.1, (channels, depth, 3, 3))
        slope = random.uniform(-0.5, 1.2, (channels, 1, 1))
        nodes.extend(
            [
                helper.make_node(
                    "Conv",
                    [source, constant(name("weight"), weight)],
                    [name("conv")],
                    kernel_shape=[3, 3],
                    pads=[1, 1, 1, 1],
                    strides=[stride, stride],
                ),
                helper.make_node(
                    "BatchNormalization",
                    [
                        name("conv"),
                        constant(name("scale"), random.uniform(0.5, 1.5, channels)),
                        constant(name("shift"), random.normal(0, 0.2, channels)),
                        constant(name("mean"), random.normal(0, 0.2, channels)),
                        constant(name("var"), random.uniform(0.5, 1.5, channels)),
                    ],
                    [name("norm")],
                ),
                helper.make_node(
                    "PRelu",
                    [name("norm"), constant(name("slope"), slope)],
                    [name("act")],
                ),
            ]
        )
        if depth != channels or stride != 1:
            return name("act")
        nodes.append(helper.make_node("Add", [source, name("act")], [name("sum")]))
        return name("sum")

    top = block("input.1", 0, 3, 32, 4)
    for index in range(1, 5):
        top = block(top, index, 32, 32, 1)
    top = block(top, 5, 32, 64, 4)
    features = 64 * 7 * 7
    weight = constant("fc", random.normal(0, 0.02, (dimension, features)))
    nodes.append(helper.make_node("Flatten", [top], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", weight], ["out"], transB=1))
    graph = helper.make_graph(
        nodes,
        "iresnet",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, dimension])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


def test_sface_gives_the_same_embeddings_of_a_hundred_faces() -> None:
    faces = hundred_faces()
    path = packs.find_pack(packs.EMBEDDED).recogniser.path

    found = run(optimise.optimised(path), faces)

    expected = one_by_one(sface_as_shipped(), faces)
    assert found.shape == (100, 128)
    assert least_cosine(found, expected) > 1 - 1e-5


def test_a_512_dimensional_network_gives_the_same_embeddings() -> None:
    faces = (hundred_faces() - 127.5) / 127.5
    original = iresnet_like()

    found = run(optimise.optimised(original), faces)

    expected = one_by_one(original, faces)
    assert found.shape == (100, 512)
    assert least_cosine(found, expected) > 1 - 1e-5


def test_nothing_slow_is_left_in_the_graph() -> None:
    path = packs.find_pack(packs.EMBEDDED).recogniser.path

    model = onnx.load_from_string(optimise.optimised(path))

    kinds = {node.op_type for node in model.graph.node}
    assert kinds.isdisjoint({"PRelu", "DequantizeLinear"})
    assert [value.name for value in model.graph.input] == ["data"]


def prelu(slope: NDArray[np.float32]) -> bytes:
    graph = helper.make_graph(
        [helper.make_node("PRelu", ["x", "slope"], ["y"])],
        "prelu",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 8, 8])],
        [numpy_helper.from_array(slope, "slope")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("slope", [-0.7, 0.0, 0.25, 1.0, 1.3])
def test_every_slope_is_rewritten_exactly(slope: float) -> None:
    model = prelu(np.full((4, 1, 1), slope, np.float32))
    values = np.random.default_rng(1).normal(0, 9, (3, 4, 8, 8)).astype(np.float32)

    found = run(optimise.optimised(model), values)

    expected = np.where(values > 0, values, np.float32(slope) * values)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def dequantise(
    quantised: NDArray[np.int8], scale: NDArray[np.float32], **attributes: Any
) -> NDArray[np.float32]:
    zero = np.ones_like(scale, dtype=np.int8)
    node = helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], **attributes)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    shape = list(quantised.shape)
    graph = helper.make_graph(
        [node, add],
        "dequantise",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [
            numpy_helper.from_array(quantised, "q"),
            numpy_helper.from_array(scale, "s"),
            numpy_helper.from_array(zero, "z"),
        ],
    )
    optimise.fold_constants(graph)
    return numpy_helper.to_array(
        next(tensor for tensor in graph.initializer if tensor.name == "w")
    )


def test_constants_are_dequantised_in_blocks() -> None:
    quantised = np.arange(12, dtype=np.int8).reshape(2, 6)
    scale = np.array([[1, 10], [2, 20]], np.float32)

    found = dequantise(quantised, scale, axis=1, block_size=3)

    expected = (quantised - 1.0) * np.repeat(scale, 3, axis=1)
    np.testing.assert_array_equal(found, expected)


def test_the_last_block_may_be_shorter() -> None:
    quantised = np.arange(10, dtype=np.int8).reshape(2, 5)
    scale = np.array([[1, 10], [2, 20]], np.float32)

    found = dequantise(quantised, scale, axis=1, block_size=3)

    expected = (quantised - 1.0) * np.repeat(scale, 3, axis=1)[:, :5]
    np.testing.assert_array_equal(found, expected)


def test_constants_are_dequantised_along_an_axis() -> None:
    quantised = np.arange(6, dtype=np.int8).reshape(2, 3)
    scale = np.array([1, 100], np.float32)

    found = dequantise(quantised, scale, axis=0)

    np.testing.assert_array_equal(found, (quantised - 1.0) * scale[:, None])


def test_a_constant_is_dequantised_by_one_scale() -> None:
    quantised = np.arange(6, dtype=np.int8).reshape(2, 3)

    found = dequantise(quantised, np.array(0.5, np.float32))

    np.testing.assert_array_equal(found, (quantised - 1.0) * 0.5)
