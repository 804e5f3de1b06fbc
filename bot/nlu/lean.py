"""Rasa's runtime without TensorFlow, which nothing of ours uses: 340 MB and several seconds less in every worker.

Resident size after `make run` on 2026-11-22, by `ps -C python -o rss,args`: 565 MB, 908 MB with TensorFlow. Three modules of Rasa 3.6
import TensorFlow although prediction with RulePolicy and our own components needs none of it; they are replaced by empty
ones before Rasa is imported. Training and Rasa's own CLI see the whole of Rasa.
"""

import sys
import types

NOT_NEEDED = "rasa.utils.train_utils"
VALIDATOR = "rasa.graph_components.validators.default_recipe_validator"
COMPONENTS = "rasa.engine.recipes.default_components"


def without_tensorflow() -> bool:
    """Prepare this process for a Rasa that only predicts; False when Rasa has been imported already."""
    if NOT_NEEDED in sys.modules:
        return False
    for name in ("tensorflow", "jax"):  # spaCy would import them just because they are installed
        sys.modules.setdefault(name, None)
    sys.modules[NOT_NEEDED] = types.ModuleType(NOT_NEEDED)
    components = sys.modules[COMPONENTS] = types.ModuleType(COMPONENTS)
    components.DEFAULT_COMPONENTS = []

    from rasa.engine.graph import GraphComponent

    # A model's file names the validator of its training; it is looked up, never run.
    validator = sys.modules[VALIDATOR] = types.ModuleType(VALIDATOR)
    validator.DefaultV1RecipeValidator = type("DefaultV1RecipeValidator", (GraphComponent,), {})
    return True
