"""Rasa's message processor without what only a server of models needs: graph runner, network, checks of foreign answers.

What Rasa decides stays as it is: RulePolicy predicts, its ensemble combines, the events are logged on the tracker. By
`make bench` these detours were half of Rasa's share of a turn.
"""

import asyncio
from typing import Any

from rasa.core.actions.action import Action, RemoteAction
from rasa.core.policies.ensemble import PolicyPredictionEnsemble
from rasa.core.policies.policy import Policy, PolicyPrediction
from rasa.core.processor import MessageProcessor
from rasa.shared.core.events import Event, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.exceptions import RasaException
from rasa.utils.endpoints import EndpointConfig
from rasa_sdk.executor import ActionExecutor

ACTION_SECONDS = 15


class ActionsHere(EndpointConfig):
    """The actions of `actions/`, run in this process; keeps what they raised, which Rasa would swallow."""

    def __init__(self) -> None:
        super().__init__(url="inprocess://actions", enable_selective_domain=True)
        self.domain: dict[str, Any] = {"responses": {}}  # what actions see of the domain
        self.failures: dict[str, Exception] = {}
        self._executor = ActionExecutor()
        self._executor.register_package("actions")

    async def call(self, call: dict[str, Any]) -> dict[str, Any]:
        """Run one action and give {"events", "responses"}. Raises what the action raised."""
        try:
            return await asyncio.wait_for(self._executor.run({**call, "domain": self.domain}), ACTION_SECONDS)
        except Exception as error:
            self.failures[call["sender_id"]] = error
            raise


class _ActionHere(RemoteAction):
    """An action of ours. It answers in this process, so its answer needs no network, no schema (45 ms a call in Rasa), and
    its events, which set slots and nothing else (actions/rasa_actions.py), no search through Rasa's classes."""

    async def run(self, output_channel, nlg, tracker, domain) -> list[Event]:
        answer = await self.action_endpoint.call(self._action_call_format(tracker, domain))
        said = await self._utter_responses(answer["responses"], output_channel, nlg, tracker)
        return [*said, *(SlotSet(event["name"], event["value"]) for event in answer["events"])]


class Processor(MessageProcessor):
    """Runs the prediction loop of one turn. Raises RasaException when the model has more than one policy."""

    def __init__(self, model, tracker_store, lock_store, generator, actions: ActionsHere) -> None:
        super().__init__(str(model), tracker_store, lock_store, generator, actions)
        parts = [node._component for node in self.graph_runner._instantiated_nodes.values()]
        policies = [part for part in parts if isinstance(part, Policy)]
        if len(policies) != 1:
            raise RasaException("config.yml must name one policy: bot/dialogue/processor.py asks it directly")
        self._policy = policies[0]
        self._ensemble = next(part for part in parts if isinstance(part, PolicyPredictionEnsemble))

    def predict_next_with_tracker_if_should(self, tracker: DialogueStateTracker) -> tuple[Action, PolicyPrediction]:
        """Give the next action, ours as one that runs here, and how it was found."""
        action, prediction = super().predict_next_with_tracker_if_should(tracker)
        if isinstance(action, RemoteAction):
            action = _ActionHere(action.name(), self.action_endpoint)
        return action, prediction

    def _predict_next_with_tracker(self, tracker: DialogueStateTracker) -> PolicyPrediction:
        """Ask the policy itself: Rasa's graph runner costs 2 ms a prediction and predicts twice a turn."""
        return self._ensemble.combine_predictions(
            [self._policy.predict_action_probabilities(tracker, self.domain)], tracker, self.domain
        )

    def _log_action_on_tracker(self, tracker, action, events, prediction) -> None:
        """Do what Rasa does without copying every event for a log at the level DEBUG."""
        tracker.update_with_events(prediction.events, self.domain)
        tracker.update(action.event_for_successful_execution(prediction))
        tracker.update_with_events(events or [], self.domain)
