"""The vote of the training lines nearest to a line: what the linear head misses, an example said nearly the same may know.

Near is the cosine of sentence vectors plus a share of that of the masked n-grams. On lines by an unseen hand the vote
alone is weaker than the head (.85 against .90), the two together are better than either (.92, benchmarks/nlu).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import sparse

COUNT = 20  # lines that vote
SHARPNESS = 12.0  # a vote's weight is exp(SHARPNESS * nearness)
MASKED = 0.5  # the weight of the masked n-grams beside the vector


@dataclass
class Neighbours:
    """The training lines: unit vectors, masked n-grams with unit rows, classes."""

    vectors: np.ndarray
    masked: sparse.csc_matrix
    classes: np.ndarray
    count: int

    @classmethod
    def of(cls, vectors: np.ndarray, masked: sparse.spmatrix, classes: np.ndarray, count: int) -> "Neighbours":
        """Keep lines; `count` is the number of classes."""
        return cls(np.ascontiguousarray(vectors, dtype=np.float32), masked.tocsc(), classes, count)

    def votes(self, vector: np.ndarray, columns: Sequence[int], values: np.ndarray) -> np.ndarray:
        """Give each class its share of the votes of the nearest lines."""
        near = self.vectors @ vector
        rows, weights, starts = self.masked.indices, self.masked.data, self.masked.indptr
        for column, value in zip(columns, values, strict=True):  # a tenth of what scipy's indexing takes
            part = slice(starts[column], starts[column + 1])
            near[rows[part]] += (MASKED * value) * weights[part]
        chosen = np.argpartition(-near, COUNT)[:COUNT] if len(near) > COUNT else np.arange(len(near))
        votes = np.exp(SHARPNESS * (near[chosen] - near[chosen].max()))
        shares = np.bincount(self.classes[chosen], votes, minlength=self.count)
        return (shares / shares.sum()).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write one npz file; vectors in half precision."""
        masked = self.masked
        np.savez_compressed(
            folder / "neighbours.npz",
            vectors=self.vectors.astype(np.float16),
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
            return cls.of(kept["vectors"].astype(np.float32), masked, kept["classes"], int(kept["count"]))
