"""Train Daoyi's model from nothing into a folder: no sentence vectors, no Rasa cache, nothing of models/ is used."""

import os
import sys
from pathlib import Path

from bot.nlu import files


def main(folder: Path) -> None:
    """Train into `folder`; the model is folder/models/*.tar.gz."""
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    files.EMBEDDINGS = folder / "embeddings"  # before the modules that read the names at import
    files.MODELS = folder / "models"
    from bot.nlu.training import train

    train()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
