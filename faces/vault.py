"""Seal embeddings for the database and open them again: AES-256-GCM with key ids."""

import hashlib
import os
from functools import lru_cache

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from numpy.typing import NDArray

NONCE_BYTES = 12  # NIST SP 800-38D, 8.2: the size GCM is made for


class SealBroken(Exception):
    """A stored template can't be opened: unknown key, or the bytes were changed."""


def key_id(key: bytes) -> str:
    """Return the public name of a key; it tells nothing about the key itself."""
    return hashlib.sha256(b"face-template-key" + key).hexdigest()[:16]


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[bytes, ...]) -> dict[str, AESGCM]:
    return {key_id(key): AESGCM(key) for key in keys}


def active_key_id() -> str:
    """Return the id of the key that encrypts: the first of FACE_TEMPLATE_KEY."""
    return key_id(settings.FACE_TEMPLATE_KEYS[0])


def _bound_to(student_id: int, model_id: str) -> bytes:
    # A row copied to another student or model fails to open.
    return f"face-template/1/{student_id}/{model_id}".encode()


def seal(
    embedding: NDArray[np.float32], *, student_id: int, model_id: str
) -> tuple[str, bytes]:
    """Encrypt a float32 (d,) embedding; return the key's id and nonce + ciphertext."""
    name = active_key_id()
    nonce = os.urandom(NONCE_BYTES)
    plain = np.ascontiguousarray(embedding, dtype="<f4").tobytes()
    cipher = _ciphers(settings.FACE_TEMPLATE_KEYS)[name]
    return name, nonce + cipher.encrypt(nonce, plain, _bound_to(student_id, model_id))


def open_sealed(
    sealed: bytes,
    *,
    key_id: str,
    student_id: int,
    model_id: str,
    dimension: int,
    keys: tuple[bytes, ...] = (),
) -> NDArray[np.float32]:
    """Decrypt to a float32 (dimension,) embedding; raises SealBroken.

    `keys` stand in for FACE_TEMPLATE_KEY.
    """
    cipher = _ciphers(keys or settings.FACE_TEMPLATE_KEYS).get(key_id)
    if cipher is None:
        raise SealBroken(f"no key {key_id} in FACE_TEMPLATE_KEY")
    nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        plain = cipher.decrypt(nonce, ciphertext, _bound_to(student_id, model_id))
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the stored bytes were changed") from error
    embedding = np.frombuffer(plain, dtype="<f4").astype(np.float32)
    if embedding.shape != (dimension,):
        raise SealBroken(f"{embedding.size} numbers where {dimension} belong")
    return embedding
