"""Every custom action of domain.yml. Each is a name for a function of this package; the state goes back into four slots."""

import asyncio

from rasa_sdk import Action
from rasa_sdk.events import SlotSet

from actions import (  # noqa: F401  (importing a topic registers its flows)
    appointments,
    complaints,
    dialogue,
    faq,
    fees,
    guide,
    human,
    info,
    insurance,
    own_appointments,
    privacy,
    schedule,
    tickets,
    waitlist,
)
from actions.talk import FLOWS, Talk

STEERING = {
    "action_continue": dialogue.proceed,
    "action_come_back": dialogue.come_back,
    "action_greet": dialogue.greet,
    "action_thanks": dialogue.thanks,
    "action_apologize": dialogue.apologize,
    "action_goodbye": dialogue.goodbye,
    "action_stop": dialogue.stop,
    "action_go_back": dialogue.go_back,
    "action_repeat": dialogue.repeat,
    "action_abuse": dialogue.abuse,
    "action_out_of_scope": dialogue.out_of_scope,
    "action_fallback": dialogue.fallback,
    "action_emergency": guide.emergency,
    "action_ask_medical_advice": guide.ask_medical_advice,
    "action_report_death": human.report_death,
    "action_decline": human.decline,
    "action_request_human": human.request_human,
}
JUST_SHOWN = ("choices", "last_faq")  # what the next message may point to
KEEPS_SHOWN = {"action_fallback", "action_repeat", "action_thanks", "action_come_back"}
GO_FIRST = {"action_faq", "action_complaint", "action_emergency", "action_report_death"}  # before any other answer
COUNTS_MISSES = {"action_fallback", "action_continue", "action_out_of_scope"}


def _action(action_name: str, act) -> type[Action]:
    def name(self) -> str:
        return action_name

    async def run(self, dispatcher, tracker, domain):
        talk = Talk(tracker, dispatcher, domain)
        if action_name not in COUNTS_MISSES:
            talk.memory.pop("misses", None)
        before = {name: talk.memory.pop(name) for name in JUST_SHOWN if name in talk.memory}

        def act_and_answer_beside() -> None:
            if human.hear_mood(talk):
                return
            if action_name not in GO_FIRST:
                talk.say_asides()
            act(talk)

        await asyncio.to_thread(act_and_answer_beside)  # the database and the chart stay off the loop
        if action_name in KEEPS_SHOWN:
            talk.memory = before | talk.memory
        return [SlotSet(slot, value) for slot, value in talk.slots().items()]

    return type(action_name, (Action,), {"name": name, "run": run, "__module__": __name__})


def _starter(flow_name: str):
    return lambda talk: talk.start(flow_name)


ACTIONS = [
    *(_action(name, act) for name, act in STEERING.items()),
    *(_action(f"action_{name}", _starter(name)) for name in FLOWS if name not in ("resume", "later")),
]
