"""What Daoyi answers: nlu_data/*/responses.yml as they stand now. A changed answer needs a new worker, no new training."""

import yaml

from bot.errors import DataError
from bot.nlu.files import NLU_DATA

ANSWERS = "responses.yml"


def read_answers() -> dict[str, list[dict]]:
    """Give every response with its variations, as Rasa's domain holds them. Raises DataError when a file cannot be read."""
    found: dict[str, list[dict]] = {}
    for path in sorted(NLU_DATA.glob(f"*/{ANSWERS}")):
        try:
            found.update(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["responses"])
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise DataError(f"nlu_data/{path.parent.name}/{ANSWERS} cannot be read: {error}") from error
    return found
