"""ONNX Runtime sessions: on the device that was asked for, or not at all."""

from __future__ import annotations

import ctypes
import io
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from faces.engine.errors import (
    ConfigurationError,
    EngineUnavailable,
    OutOfMemory,
)
from faces.engine.placement import Helpers, threads_now

if TYPE_CHECKING:
    import onnx

logger = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
Provider = tuple[str, dict[str, Any]]
Source: TypeAlias = "bytes | onnx.ModelProto | Path"

_DEVICE = re.compile(r"(?P<kind>auto|cpu|cuda)(?::(?P<index>\d+))?")
_CUDA_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
LARGE_RUN: Final = 3 * 1024 * 1024  # values of the input: a photo of one megapixel

_slots = threading.BoundedSemaphore(os.cpu_count() or 1)
_alone = threading.RLock()

_state = ort.capi.onnxruntime_pybind11_state
# How ONNX Runtime reports failed runs, out of device memory among them.
_RUN_ERRORS = (
    RuntimeError,
    MemoryError,
    _state.RuntimeException,
    _state.Fail,
    _state.EPFail,
    _state.EngineError,
)
# In the words of the arenas and of CUDA, cuBLAS and cuDNN.
_OUT_OF_MEMORY: Final = re.compile(
    r"out of memory|failed to allocate|bad_alloc|alloc_failed|memory_allocation", re.I
)


class Session(Protocol):
    """The part of ``onnxruntime.InferenceSession`` that the engine uses."""

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]: ...

    def get_providers(self) -> list[str]: ...

    def get_inputs(self) -> list[Any]: ...

    def get_outputs(self) -> list[Any]: ...


class _Placed:
    """A session that keeps its threads off the caller's core."""

    def __init__(self, session: Session, helpers: Helpers) -> None:
        self._session = session
        self._helpers = helpers
        self.get_providers = session.get_providers
        self.get_inputs = session.get_inputs
        self.get_outputs = session.get_outputs

    def run(
        self, output_names: Sequence[str] | None, input_feed: dict[str, Any]
    ) -> list[Any]:
        size = sum(array.size for array in input_feed.values())
        with self._helpers.at_work(brief=size <= LARGE_RUN):
            return self._session.run(output_names, input_feed)


class SessionClass(Protocol):
    """What makes a session; tests pass one that pretends to have a GPU."""

    def __call__(
        self,
        model: bytes | str,
        *,
        sess_options: ort.SessionOptions,
        providers: Sequence[Provider],
    ) -> Session: ...


def create_session(
    model: Source,
    *,
    device: str = "auto",
    threads: int = 1,
    spin: bool = False,
    session_class: SessionClass = ort.InferenceSession,
    cuda_usable: bool | None = None,
) -> Session:
    """A session for ``model`` on ``device``: ``auto``, ``cpu``, ``cuda`` or ``cuda:n``.

    ``threads`` is the number of threads that one run may use, at least 1. With ``spin``
    they wait for each other's layers awake: for runs that have the cores to themselves.
    Sessions do not survive a fork: create them in the process that uses them.
    ``session_class`` and ``cuda_usable`` replace ONNX Runtime and the look for a GPU in
    tests.

    Raises ConfigurationError for an unknown device, a model that cannot be loaded, and
    when ``cuda`` was asked for and the session that came back does not run on it:
    ONNX Runtime itself would only write a log line and use the processor.
    """
    kind, index = parse_device(device)
    if threads < 1:
        raise ConfigurationError(f"FACE_THREADS is {threads}: set it to 1 or more.")
    problem = cuda_problem() if cuda_usable is None and kind != "cpu" else ""
    if kind == "cuda" and problem:
        raise _no_cuda(device, problem)
    usable = not problem if cuda_usable is None else cuda_usable
    providers = rank_providers(kind, index=index, cuda_usable=usable)
    known_threads = threads_now()
    try:
        session = session_class(
            _source(model),
            sess_options=_options(threads, spin=spin),
            providers=providers,
        )
    except _load_errors() as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(
            f"The face model cannot be loaded on device '{device}': {reason}"
        ) from error
    _drop_copy(session)
    got = session.get_providers()
    if providers[0][0] == CUDA and not on_cuda(session):
        problem = (
            f"ONNX Runtime runs on {', '.join(got)}, CUDA's libraries fail to load"
        )
        if kind == "cuda":
            raise _no_cuda(device, problem)
        logger.warning("FACE_DEVICE=auto uses the processor: %s", problem)
    logger.debug("session on %s, asked for %s", got[0], device)
    started = threads_now() - known_threads
    # Others may have started threads meanwhile: theirs are not for us to place.
    if threads > 1 and len(started) == threads - 1 and not on_cuda(session):
        return _Placed(session, Helpers(started))
    return session


def _drop_copy(session: Session) -> None:
    """Forget the model's bytes, which the class keeps for a change of providers.

    They are as large as the weights; no session here changes its providers.
    """
    if getattr(session, "_model_bytes", None) is not None:
        session._model_bytes = None  # type: ignore[attr-defined]


def _no_cuda(device: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"FACE_DEVICE is '{device}' but {problem}: install an NVIDIA driver and "
        "requirements-gpu.txt, or set FACE_DEVICE=cpu."
    )


def on_cuda(session: Session) -> bool:
    """Whether a graphics card runs the session."""
    return CUDA in session.get_providers()


def parse_device(device: str) -> tuple[str, int]:
    """Kind (``auto``, ``cpu`` or ``cuda``) and index of a FACE_DEVICE value.

    Raises ConfigurationError for anything else.
    """
    found = _DEVICE.fullmatch(device.strip().lower())
    if found is None or (found["index"] and found["kind"] != "cuda"):
        raise ConfigurationError(
            f"FACE_DEVICE is '{device}': set it to auto, cpu, cuda or cuda:0."
        )
    return found["kind"], int(found["index"] or 0)


def cuda_problem() -> str:
    """Why CUDA cannot be used here, "" where nothing speaks against it."""
    if CUDA not in ort.get_available_providers():
        return "this ONNX Runtime was built without CUDA"
    return "" if _has_cuda_driver() else "this machine has no NVIDIA driver"


def rank_providers(kind: str, *, cuda_usable: bool, index: int = 0) -> list[Provider]:
    """Execution providers for a kind of device, the wanted one first."""
    cpu: Provider = (CPU, {})
    if kind == "cpu" or not cuda_usable:
        return [cpu]
    _preload_cuda_libraries()
    options = {
        "device_id": index,
        # The default doubles the arena: a photo of new size takes memory for good.
        "arena_extend_strategy": "kSameAsRequested",
        # The default tries all kernels for each new size of photo: seconds.
        "cudnn_conv_algo_search": "HEURISTIC",
        # The default rounds to ten bits: templates of the processor would not fit.
        "use_tf32": 0,
    }
    return [(CUDA, options), cpu]


@contextmanager
def turn_of(size: int) -> Iterator[None]:
    """Be alone with an input of ``size`` values where that is large.

    Who prepares such an input does so within, or each thread would hold one and wait.
    """
    with _alone if size > LARGE_RUN else nullcontext():
        yield


def run(session: Session, feed: dict[str, NDArray[Any]]) -> list[Any]:
    """All outputs of one run.

    What a run needs stays with the process, so as many runs as there are cores go at
    once, which more would not make faster, and of the large ones one.

    Raises EngineUnavailable when the runtime fails, OutOfMemory where it says so.
    """
    size = sum(array.size for array in feed.values())
    try:
        with turn_of(size), _slots:
            outputs = session.run(None, feed)
    except _RUN_ERRORS as error:
        raise _run_fault(error) from error
    _failing.clear()
    return outputs


_failing = threading.Event()


def _run_fault(error: Exception) -> EngineUnavailable:
    """What to tell the client; the log gets one line until a run succeeds again."""
    short = bool(_OUT_OF_MEMORY.search(str(error))) or isinstance(error, MemoryError)
    if not _failing.is_set():
        _failing.set()
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        advice = (
            "run fewer workers (WEB_CONCURRENCY) or set FACE_DEVICE=cpu"
            if short
            else "run `manage.py faces_doctor`"
        )
        logger.error("inference fails (%s): %s", reason[:200], advice)
    if short:
        return OutOfMemory()
    return EngineUnavailable(
        "The face engine could not process the photo. Try again in a moment."
    )


def as_contiguous(array: NDArray[Any]) -> NDArray[np.float32]:
    """``array`` as C-contiguous float32, without a copy where it already is."""
    return np.ascontiguousarray(array, dtype=np.float32)


def _options(threads: int, *, spin: bool = False) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Two sessions whose idle threads spin take each other's cores, 57 ms against 28: at
    # the latest they stop with the run. Those that spin while others want their cores
    # cost a quarter of the photos a second.
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spin)))
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # Work is dealt in shares that shrink: the threads of a run end together, and one
    # that got no core is not waited for.
    options.add_session_config_entry("session.dynamic_block_base", "4")
    # A plan for every size of input would be kept for good: half the memory without,
    # and no slower.
    options.enable_mem_pattern = False
    _share_arena()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.log_severity_level = 3
    return options


@cache
def _share_arena() -> None:
    """One arena for all sessions of a process: they rarely need it all at once.

    Detector and recogniser at 1920 pixels and with two threads: 318 MB against 405.
    """
    memory = ort.OrtMemoryInfo(
        "Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT
    )
    unset = {"initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    config = ort.OrtArenaCfg({"max_mem": 0, "arena_extend_strategy": 0, **unset})
    ort.create_and_register_allocator(memory, config)


def _source(model: Source) -> bytes | str:
    if isinstance(model, bytes):
        return model
    if isinstance(model, Path):
        return str(model)
    return bytes(model.SerializeToString())


def _load_errors() -> tuple[type[Exception], ...]:
    return (
        _state.Fail,
        _state.InvalidArgument,
        _state.InvalidGraph,
        _state.InvalidProtobuf,
        _state.NoSuchFile,
        _state.NotImplemented,
        RuntimeError,
        ValueError,
    )


def _has_cuda_driver() -> bool:
    try:
        ctypes.CDLL(_CUDA_DRIVER)
    except OSError:
        return False
    return True


def _preload_cuda_libraries() -> None:
    # CUDA and cuDNN from pip packages are found only when loaded beforehand.
    preload = getattr(ort, "preload_dlls", None)
    if preload is None:
        return
    with redirect_stdout(io.StringIO()) as said:  # it prints what it misses
        preload()
    if missing := said.getvalue().splitlines():
        logger.warning("CUDA's libraries are incomplete: %s", missing[0])
