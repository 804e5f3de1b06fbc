"""Where the NLU reads and writes, and the hashes that say whether something must be built again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NLU_DATA = ROOT / "nlu_data"
BUILD = ROOT / "build"
MODELS = ROOT / "models"
ENCODER = BUILD / "encoder" / "e5-int8.onnx"
EMBEDDINGS = BUILD / "embeddings"


def content_hash(paths: Iterable[Path]) -> str:
    """Give the SHA-256 of files, names (relative to the project) included, in a fixed order."""
    digest = hashlib.sha256()
    for path in sorted(set(paths)):
        name = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        digest.update(f"{name}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_lines(path: Path) -> list[str]:
    """Give the lines of a word list, without blank lines and without what follows a `#`."""
    lines = (line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]
