"""What passes between the worker and its engine, free of Rasa."""

from dataclasses import dataclass, field


class ActionFailed(Exception):
    """An action raised; `name` says which, the cause is chained."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


@dataclass
class Reply:
    """One thing the engine wants to say."""

    text: str
    buttons: list[dict] = field(default_factory=list)
    image: str | None = None
