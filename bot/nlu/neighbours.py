"""The vote of the training lines nearest to a line: what the linear head misses, an example said nearly the same may know.

Near is the cosine of sentence vectors plus a share of that of the masked n-grams. On lines by an unseen hand the vote
alone is weaker than the head (.85 against .90), the two together are better than either (.92, benchmarks/nlu).

The vectors are kept turned to their principal axes. The first quarter of the columns carries two thirds of a cosine and
chooses among all lines; the chosen ones are compared in full. It finds 99.5 % of the twenty nearest and reads a fifth of
the memory, which is what the vote costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

COUNT = 20  # lines that vote
COARSE, CHOSEN = 96, 256  # columns that are looked at for all lines, and lines that are looked at in full
SHARPNESS = 12.0  # a vote's weight is exp(SHARPNESS * nearness)
MASKED = 0.5  # the weight of the masked n-grams beside the vector


@dataclass
class Neighbours:
    """The training lines: unit vectors by principal axes in two blocks of columns, masked n-grams with unit rows,
    classes."""

    axes: np.ndarray
    coarse: np.ndarray
    fine: np.ndarray
    masked: sparse.csc_matrix
    classes: np.ndarray
    count: int

    @classmethod
    def of(cls, vectors: np.ndarray, masked: sparse.spmatrix, classes: np.ndarray, count: int) -> "Neighbours":
        """Keep lines; `count` is the number of classes."""
        axes = np.linalg.eigh(vectors.T @ vectors)[1][:, ::-1].astype(np.float32)
        return cls._of(axes, vectors @ axes, masked, classes, count)

    @classmethod
    def _of(cls, axes: np.ndarray, turned: np.ndarray, masked: sparse.spmatrix, classes: np.ndarray, count: int):
        blocks = (np.ascontiguousarray(part, dtype=np.float32) for part in (turned[:, :COARSE], turned[:, COARSE:]))
        return cls(np.ascontiguousarray(axes), *blocks, masked.tocsc(), classes, count)

    def votes(self, vector: np.ndarray, columns: Sequence[int], values: Sequence[float]) -> np.ndarray:
        """Give each class its share of the votes of the nearest lines."""
        turned = vector @ self.axes
        near = self.coarse @ turned[:COARSE]
        rows, weights, starts = self.masked.indices, self.masked.data, self.masked.indptr
        for column, value in zip(columns, values, strict=True):  # a tenth of what scipy's indexing takes
            part = slice(starts[column], starts[column + 1])
            near[rows[part]] += (MASKED * value) * weights[part]
        chosen = _largest(near, CHOSEN)
        near = near[chosen] + self.fine[chosen] @ turned[COARSE:]
        nearest = _largest(near, COUNT)
        votes = np.exp(SHARPNESS * (near[nearest] - near[nearest].max()))
        shares = np.bincount(self.classes[chosen[nearest]], votes, minlength=self.count)
        return (shares / shares.sum()).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write one npz file; vectors in half precision."""
        masked = self.masked
        np.savez_compressed(
            folder / "neighbours.npz",
            axes=self.axes,
            turned=np.hstack([self.coarse, self.fine]).astype(np.float16),
            classes=self.classes.astype(np.int32),
            count=self.count,
            data=masked.data.astype(np.float16),
            indices=masked.indices,
            indptr=masked.indptr,
            width=masked.shape[1],
        )

    @classmethod
    def load(cls, folder: Path) -> "Neighbours":
        """Read what save wrote."""
        with np.load(folder / "neighbours.npz", allow_pickle=False) as kept:
            shape = (len(kept["classes"]), int(kept["width"]))
            parts = kept["data"].astype(np.float32), kept["indices"], kept["indptr"]
            masked = sparse.csc_matrix(parts, shape=shape)
            return cls._of(kept["axes"], kept["turned"], masked, kept["classes"], int(kept["count"]))


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Give the places of the `count` largest values, in no order."""
    return np.argpartition(values, -count)[-count:] if len(values) > count else np.arange(len(values))
