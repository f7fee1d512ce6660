"""Sealed embeddings: only the right key, student and model open them."""

import numpy as np
import pytest
from pytest_django import Settings

from faces import vault

EMBEDDING = np.linspace(-1, 1, 128, dtype=np.float32)


def open_it(key_id: str, sealed: bytes, **changes: object) -> np.ndarray:
    bound: dict[str, object] = {
        "key_id": key_id,
        "student_id": 7,
        "model_id": "sface:1",
        "dimension": 128,
    }
    return vault.open_sealed(sealed, **(bound | changes))  # type: ignore[arg-type]


def sealed() -> tuple[str, bytes]:
    return vault.seal(EMBEDDING, student_id=7, model_id="sface:1")


def test_what_was_sealed_opens_bit_for_bit() -> None:
    assert open_it(*sealed()).tobytes() == EMBEDDING.tobytes()


def test_the_sealed_bytes_hold_no_run_of_the_embedding() -> None:
    _, blob = sealed()
    assert EMBEDDING.tobytes()[:16] not in blob


def test_sealing_twice_gives_different_bytes() -> None:
    assert sealed()[1] != sealed()[1]


@pytest.mark.parametrize("position", [0, 5, 12, 100, -1])
def test_it_refuses_a_flipped_byte(position: int) -> None:
    key_id, blob = sealed()
    changed = bytearray(blob)
    changed[position] ^= 1
    with pytest.raises(vault.SealBroken, match="changed"):
        open_it(key_id, bytes(changed))


@pytest.mark.parametrize("length", [0, 11, 12, 20])
def test_it_refuses_a_cut_template(length: int) -> None:
    key_id, blob = sealed()
    with pytest.raises(vault.SealBroken):
        open_it(key_id, blob[:length])


@pytest.mark.parametrize("change", [{"student_id": 8}, {"model_id": "other:1"}])
def test_it_refuses_a_template_moved_to_another_row(change: dict[str, object]) -> None:
    key_id, blob = sealed()
    with pytest.raises(vault.SealBroken):
        open_it(key_id, blob, **change)


def test_it_refuses_another_dimension() -> None:
    with pytest.raises(vault.SealBroken, match="128 numbers where 512 belong"):
        open_it(*sealed(), dimension=512)


def test_an_older_key_still_opens_and_the_first_one_seals(
    settings: Settings,
) -> None:
    old, new = b"o" * 32, b"n" * 32
    settings.FACE_TEMPLATE_KEYS = (old,)
    key_id, blob = sealed()
    settings.FACE_TEMPLATE_KEYS = (new, old)
    assert open_it(key_id, blob).tobytes() == EMBEDDING.tobytes()
    assert sealed()[0] == vault.key_id(new)


def test_without_its_key_a_template_stays_shut(settings: Settings) -> None:
    key_id, blob = sealed()
    settings.FACE_TEMPLATE_KEYS = (b"x" * 32,)
    with pytest.raises(vault.SealBroken, match="no key"):
        open_it(key_id, blob)
