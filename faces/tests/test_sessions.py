"""A session runs on the device that was asked for, or there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from faces.engine import sessions
from faces.engine.errors import (
    ConfigurationError,
    EngineUnavailable,
    OutOfMemory,
)
from faces.tests.test_optimise import prelu

MODEL = prelu(np.full((4, 1, 1), 0.25, np.float32))


class Pretended:
    """A session that claims to run on whatever it was told, or on the processor."""

    falls_back = False

    def __init__(
        self,
        model: bytes | str,
        *,
        sess_options: ort.SessionOptions,
        providers: Sequence[sessions.Provider],
    ) -> None:
        self.options = sess_options
        self.asked = list(providers)

    def get_providers(self) -> list[str]:
        if self.falls_back:
            return [sessions.CPU]
        return [name for name, _ in self.asked]

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]:
        raise RuntimeError("CUDA failure 2: out of memory")

    def get_inputs(self) -> list[Any]:
        return []

    def get_outputs(self) -> list[Any]:
        return []


class WithoutGpu(Pretended):
    falls_back = True


def made(
    device: str, *, cuda_usable: bool, threads: int = 1, spin: bool = False
) -> Pretended:
    session = sessions.create_session(
        MODEL,
        device=device,
        threads=threads,
        spin=spin,
        session_class=Pretended,
        cuda_usable=cuda_usable,
    )
    assert isinstance(session, Pretended)
    return session


def test_cpu_never_asks_for_the_gpu() -> None:
    assert made("cpu", cuda_usable=True).get_providers() == [sessions.CPU]


def test_auto_takes_the_gpu_where_there_is_one() -> None:
    found = made("auto", cuda_usable=True).get_providers()

    assert found == [sessions.CUDA, sessions.CPU]


def test_auto_takes_the_processor_where_there_is_none() -> None:
    assert made("auto", cuda_usable=False).get_providers() == [sessions.CPU]


def test_the_number_of_the_gpu_is_passed_on() -> None:
    name, options = made("cuda:3", cuda_usable=True).asked[0]

    assert (name, options["device_id"]) == (sessions.CUDA, 3)


def test_cuda_that_got_the_processor_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="requirements-gpu") as caught:
        sessions.create_session(
            MODEL,
            device="cuda",
            threads=1,
            session_class=WithoutGpu,
            cuda_usable=True,
        )

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["gpu", "cuda:", "cuda:x", "cpu:0", "auto:1", ""])
def test_an_unknown_device_is_refused(device: str) -> None:
    with pytest.raises(ConfigurationError, match="FACE_DEVICE"):
        made(device, cuda_usable=True)


def test_capitals_and_blanks_do_not_matter() -> None:
    assert sessions.parse_device(" CUDA:1 ") == ("cuda", 1)


@pytest.mark.parametrize("threads", [0, -1])
def test_no_threads_are_refused(threads: int) -> None:
    with pytest.raises(ConfigurationError, match="FACE_THREADS"):
        made("cpu", cuda_usable=False, threads=threads)


@pytest.mark.parametrize(("spin", "spinning"), [(False, "0"), (True, "1")])
def test_threads_are_explicit_and_spin_during_a_run_at_most(
    spin: bool, spinning: str
) -> None:
    options = made("cpu", cuda_usable=False, threads=3, spin=spin).options

    entry = options.get_session_config_entry
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
    assert entry("session.intra_op.allow_spinning") == spinning
    assert entry("session.force_spinning_stop") == "1"


def test_a_real_session_runs() -> None:
    session = sessions.create_session(MODEL, device="cpu", threads=1)
    values = np.full((1, 4, 8, 8), -4, np.float32)

    (found,) = sessions.run(session, {"x": values})

    np.testing.assert_array_equal(found, values / 4)


def test_what_is_no_model_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigurationError) as caught:
        sessions.create_session(b"not a model", device="cpu", threads=1)

    assert "\n" not in str(caught.value)


class Failing(Pretended):
    """A session on a device whose memory is full, until it is given ``answer``."""

    words = "CUDA failure 2: out of memory"
    answer: list[Any] | None = None

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]:
        if self.answer is None:
            raise RuntimeError(self.words)
        return self.answer


@pytest.fixture
def failing() -> Iterator[Failing]:
    session = sessions.create_session(
        MODEL, device="cuda", session_class=Failing, cuda_usable=True
    )
    assert isinstance(session, Failing)
    yield session
    session.answer = []
    sessions.run(session, {})  # the next failure is news again


def test_a_failing_run_says_that_the_engine_is_unavailable(failing: Failing) -> None:
    failing.words = "CUDNN_STATUS_EXECUTION_FAILED at /opt/secret"

    with pytest.raises(EngineUnavailable) as caught:
        sessions.run(failing, {})

    assert (caught.value.status, caught.value.code) == (503, "engine_unavailable")
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    "words",
    [
        "CUDA failure 2: out of memory",
        "Failed to allocate memory for requested buffer of size 1073741824",
        "CUBLAS_STATUS_ALLOC_FAILED",
        "std::bad_alloc",
    ],
)
def test_a_full_memory_asks_to_come_again(failing: Failing, words: str) -> None:
    failing.words = words

    with pytest.raises(OutOfMemory) as caught:
        sessions.run(failing, {})

    assert caught.value.status == 503
    assert caught.value.extra == {"reason": "out_of_memory", "retry_after": 5}


def test_an_outage_is_one_line_in_the_log(
    failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        with pytest.raises(OutOfMemory):
            sessions.run(failing, {})

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "FACE_DEVICE=cpu" in caplog.text


def test_the_engine_answers_again_after_an_outage(
    failing: Failing, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(OutOfMemory):
        sessions.run(failing, {})
    failing.answer = [np.zeros(1)]
    assert sessions.run(failing, {}) == failing.answer

    failing.answer = None
    with pytest.raises(OutOfMemory):
        sessions.run(failing, {})

    assert len(caplog.records) == 2


def test_cuda_on_a_machine_without_a_driver_names_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "_has_cuda_driver", lambda: False)
    monkeypatch.setattr(
        ort, "get_available_providers", lambda: [sessions.CUDA, sessions.CPU]
    )

    with pytest.raises(ConfigurationError, match=r"no NVIDIA driver.*FACE_DEVICE=cpu"):
        sessions.create_session(MODEL, device="cuda")


def test_cuda_with_a_runtime_for_the_processor_names_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ort, "get_available_providers", lambda: [sessions.CPU])

    with pytest.raises(ConfigurationError, match=r"built without CUDA"):
        sessions.create_session(MODEL, device="cuda:0")


def test_auto_says_that_the_gpu_did_not_load(caplog: pytest.LogCaptureFixture) -> None:
    session = sessions.create_session(
        MODEL, device="auto", session_class=WithoutGpu, cuda_usable=True
    )

    assert session.get_providers() == [sessions.CPU]
    assert "uses the processor" in caplog.text


def test_embeddings_of_the_gpu_are_not_rounded_to_ten_bits() -> None:
    _, options = made("cuda", cuda_usable=True).asked[0]

    assert options["use_tf32"] == 0
