"""`rasa` with one line mended: the schema of an action's answer is checked once and not at each call."""

import sys

import jsonschema
from rasa.__main__ import main
from rasa.core.actions.action import RemoteAction


def patch() -> None:
    """Give RemoteAction a validator that is made once."""
    schema = RemoteAction.action_response_format_spec()
    validator = jsonschema.validators.validator_for(schema)(schema)

    def valid(self, result) -> bool:
        validator.validate(result)
        return True

    RemoteAction._validate_action_result = valid


if __name__ == "__main__":
    patch()
    sys.exit(main())
