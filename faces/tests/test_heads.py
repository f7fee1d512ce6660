"""A detector whose last convolutions run where a face is says the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from faces.engine import heads, sessions
from faces.tests.insightface_pack import square_detector

Array = NDArray[np.float32]
STRIDES = (8, 16)
ANCHORS = 2
WIDTHS = {"score": 1, "box": 4, "points": 10}
FEATURES = 6
IMAGE = (1, 3, 64, 48)


def detector(*, side: int = 3, **options: Any) -> bytes:
    """Two strides with three last convolutions each, arranged as SCRFD arranges them.

    ``options`` are attributes of the last convolutions.
    """
    random = np.random.default_rng(5)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    outputs: dict[str, list[str]] = {part: [] for part in WIDTHS}

    def constant(name: str, values: NDArray[Any]) -> str:
        constants.append(numpy_helper.from_array(values, name))
        return name

    def node(kind: str, inputs: list[str], name: str, **settings: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [name], **settings))
        return name

    def conv(source: str, name: str, shape: tuple[int, ...], **settings: Any) -> str:
        weight = random.normal(0, 1, shape).astype(np.float32)
        bias = random.normal(0, 1, shape[0]).astype(np.float32)
        inputs = [
            source,
            constant(f"{name}_w", weight),
            constant(f"{name}_b", bias),
        ]
        return node("Conv", inputs, name, **settings)

    scale = constant("scale", np.array(1.5, np.float32))
    for stride in STRIDES:
        sides = [stride, stride]
        seen = conv(
            node(
                "AveragePool",
                ["image"],
                f"s{stride}",
                kernel_shape=sides,
                strides=sides,
            ),
            f"features{stride}",
            (FEATURES, 3, 1, 1),
        )
        for part, width in WIDTHS.items():
            name = f"{part}{stride}"
            shape = (ANCHORS * width, FEATURES, side, side)
            settings = {"pads": [side // 2] * 4} | options
            last = conv(seen, f"{name}_map", shape, **settings)
            if part == "box":
                last = node("Mul", [last, scale], f"{name}_scaled")
            turned = node("Transpose", [last], f"{name}_turned", perm=[2, 3, 0, 1])
            rows = constant(f"{name}_rows", np.array([-1, width], np.int64))
            if part == "score":
                flat = node("Reshape", [turned, rows], f"{name}_flat")
                node("Sigmoid", [flat], name)
            else:
                node("Reshape", [turned, rows], name)
            outputs[part].append(name)
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, list(IMAGE))],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
            for part, width in WIDTHS.items()
            for name in outputs[part]
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def session_of(model: bytes) -> ort.InferenceSession:
    return ort.InferenceSession(model, providers=[sessions.CPU])


def both(model: bytes, threshold: float) -> tuple[list[Array], list[Array]]:
    """What the two sessions say of one image: the sparse one and the original."""
    original = session_of(model)
    light, found = heads.split(model)
    sparse = heads.SparseSession(
        session_of(light), found, original.get_outputs(), threshold
    )
    image = np.random.default_rng(1).normal(size=IMAGE).astype(np.float32)
    answers = [one.run(None, {"image": image}) for one in (sparse, original)]
    return answers[0], answers[1]


@pytest.mark.parametrize("side", [1, 3, 5])
def test_every_anchor_is_what_it_was_to_the_edges_of_the_map(side: int) -> None:
    found, expected = both(detector(side=side), 0)

    assert len(found) == len(expected) == len(STRIDES) * len(WIDTHS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)


def test_what_does_not_reach_the_threshold_is_zero() -> None:
    found, expected = both(detector(), 0.8)

    for place, (one, other) in enumerate(zip(found, expected, strict=True)):
        chosen = expected[place % len(STRIDES)][:, 0] >= 0.8
        assert 0 < chosen.sum() < chosen.size
        np.testing.assert_allclose(one[chosen], other[chosen], rtol=0, atol=1e-4)
        assert not one[~chosen].any()


def test_a_picture_of_nobody_has_zeros_alone() -> None:
    found, _ = both(detector(), 1)

    assert [one.shape[1] for one in found] == [1, 1, 4, 4, 10, 10]
    assert not any(one.any() for one in found)


def test_the_network_gives_features_instead_and_keeps_its_providers() -> None:
    model = detector()
    light, found = heads.split(model)
    session = session_of(light)
    sparse = heads.SparseSession(session, found, session_of(model).get_outputs(), 0.5)

    assert [one.name for one in session.get_outputs()] == [
        *(f"features{stride}_taps" for stride in STRIDES),
        *(f"features{stride}" for stride in STRIDES),
    ]
    assert [one.name for one in sparse.get_outputs()][:2] == ["score8", "score16"]
    assert sparse.get_inputs()[0].name == "image"
    assert sparse.get_providers() == [sessions.CPU]


@pytest.mark.parametrize(
    "model",
    [
        square_detector(),
        detector(strides=[2, 2]),
        detector(dilations=[2, 2], pads=[2, 2, 2, 2]),
        detector(pads=[0, 0, 0, 0]),
    ],
    ids=["no convolution", "a stride", "a dilation", "no margin"],
)
def test_a_detector_that_ends_in_something_else_stays_as_it_is(model: bytes) -> None:
    assert heads.split(model) == (model, [])
