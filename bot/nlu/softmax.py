"""Multinomial logistic regression on a dense and a sparse block of columns, in float32.

scikit-learn would take the blocks as one sparse matrix in float64: four times the time and the memory for the same
weights. The optimum is unique and the method has no chance in it, so two trainings give the same model.
"""

from collections import deque

import numpy as np
from scipy import sparse
from scipy.linalg.blas import saxpy

Weights = tuple[np.ndarray, np.ndarray, np.ndarray]  # dense, sparse, bias


def softmax(scores: np.ndarray) -> np.ndarray:
    """Give probabilities along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def fit_softmax(
    dense: np.ndarray,
    thin: sparse.csr_matrix,
    classes: np.ndarray,
    count: int,
    c: float,
    iterations: int,
) -> Weights:
    """Give the weights that minimise |W|²/2 + c * sum of log losses (the bias is free)."""
    rows, first, second = len(classes), dense.shape[1], thin.shape[1]
    turned = thin.T.tocsr()
    pick = np.arange(rows)

    def cut(flat: np.ndarray) -> Weights:
        table = flat.reshape(first + second + 1, count)
        return table[:first], table[first:-1], table[-1]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        a, b, bias = cut(flat)
        odds = softmax(dense @ a + thin @ b + bias)
        chosen = np.maximum(odds[pick, classes], 1e-12)
        value = -c * float(np.log(chosen).sum(dtype=np.float64))
        value += 0.5 * (float(np.vdot(a, a)) + float(np.vdot(b, b)))
        odds[pick, classes] -= 1.0
        odds *= np.float32(c)
        return value, np.concatenate([dense.T @ odds + a, turned @ odds + b, odds.sum(axis=0)[None]]).ravel()

    return cut(_lbfgs(loss, np.zeros((first + second + 1) * count, dtype=np.float32), iterations))


def _lbfgs(loss, at: np.ndarray, iterations: int, memory: int = 6, tolerance: float = 1e-4) -> np.ndarray:
    value, slope = loss(at)
    steps: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=memory)
    for _ in range(iterations):
        direction = slope.copy()
        kept = []
        for moved, bent, inverse in reversed(steps):
            share = inverse * float(np.vdot(moved, direction))
            direction = saxpy(bent, direction, a=-share)  # in place: these vectors are of thirty megabytes
            kept.append(share)
        if steps:
            moved, bent, inverse = steps[-1]
            direction *= 1.0 / (inverse * float(np.vdot(bent, bent)))
        else:
            direction *= 1.0 / max(float(np.linalg.norm(slope)), 1e-9)
        for (moved, bent, inverse), share in zip(steps, reversed(kept), strict=True):
            direction = saxpy(moved, direction, a=share - inverse * float(np.vdot(bent, direction)))
        downhill, length = -float(np.vdot(slope, direction)), 1.0
        while True:
            there = saxpy(direction, at.copy(), a=-length)
            next_value, next_slope = loss(there)
            if next_value <= value + 1e-4 * length * downhill or length < 1e-6:
                break
            length /= 2
        moved, bent = there - at, next_slope - slope
        curve = float(np.vdot(moved, bent))
        if curve > 1e-10:
            steps.append((moved, bent, 1.0 / curve))
        gain = value - next_value
        at, value, slope = there, next_value, next_slope
        if gain < tolerance * max(abs(value), 1.0):
            break
    return at
