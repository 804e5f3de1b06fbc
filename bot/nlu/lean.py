"""Rasa without TensorFlow, which nothing of ours uses: 340 MB and several seconds less in every worker and training.

Resident size after `make run` on 2026-11-22, by `ps -C python -o rss,args`: 565 MB, 908 MB with TensorFlow. Three
modules of Rasa 3.6 import TensorFlow although RulePolicy and our own components need none of it; they are replaced
before Rasa is imported. Rasa's own CLI (`rasa train`, `rasa data validate`) sees the whole of Rasa.
"""

import sys
import types
from typing import Any, Dict  # noqa: UP035

NOT_NEEDED = "rasa.utils.train_utils"
VALIDATOR = "rasa.graph_components.validators.default_recipe_validator"
COMPONENTS = "rasa.engine.recipes.default_components"


def without_tensorflow() -> bool:
    """Prepare this process for a Rasa with our components and RulePolicy only; False when Rasa is imported already."""
    if NOT_NEEDED in sys.modules:
        return False
    for name in ("tensorflow", "jax"):  # spaCy would import them just because they are installed
        sys.modules.setdefault(name, None)
    sys.modules[NOT_NEEDED] = types.ModuleType(NOT_NEEDED)
    components = sys.modules[COMPONENTS] = types.ModuleType(COMPONENTS)
    components.DEFAULT_COMPONENTS = []

    from rasa.engine.graph import ExecutionContext, GraphComponent
    from rasa.engine.storage.resource import Resource
    from rasa.engine.storage.storage import ModelStorage
    from rasa.shared.importers.importer import TrainingDataImporter

    class DefaultV1RecipeValidator(GraphComponent):
        """Rasa's own validates components of Rasa that we do not use; `rasa train` and `rasa data validate` have it."""

        @classmethod
        def create(
            cls,
            config: Dict[str, Any],  # noqa: UP006, Rasa compares annotations by their spelling
            model_storage: ModelStorage,
            resource: Resource,
            execution_context: ExecutionContext,
        ) -> GraphComponent:
            """Make one."""
            return cls()

        def validate(self, importer: TrainingDataImporter) -> TrainingDataImporter:
            """Give the data as they are; the tests of nlu_data/ have looked at them."""
            return importer

    DefaultV1RecipeValidator.__module__ = VALIDATOR  # the name that a model's file has for it
    validator = sys.modules[VALIDATOR] = types.ModuleType(VALIDATOR)
    validator.DefaultV1RecipeValidator = DefaultV1RecipeValidator
    return True
