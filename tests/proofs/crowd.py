"""A process full of patients, each a thread, who all want the same session. Started by test_overselling.py.

    python -m tests.proofs.crowd SESSION THREADS PATIENT [PATIENT ...]

One patient for all threads, or one for each. Says "ready", waits for a line, then prints how each thread fared.
"""

import json
import random
import secrets
import sys
import threading
from collections import Counter

from bot.appointments import service
from bot.appointments.model import Duplicate, Taken
from bot.storage.engine import engine, reading, writing
from tests.builders import MONDAY


def try_to_book(session: int, patient: int) -> str:
    """Take any free opening, another one when it has just gone, until none is left."""
    chat = secrets.token_hex(16)
    while True:
        with reading() as conn:
            free = service.free_openings(conn, session, MONDAY)
        if not free:
            return "Taken"
        try:
            with writing() as conn:
                service.book(conn, random.choice(free).id, patient, chat, f"{chat}:1:book", MONDAY)
            return "booked"
        except Taken:
            continue
        except Duplicate:
            return "Duplicate"


def main(session: int, threads: int, patients: list[int]) -> None:
    service.rules()  # reads the hospital's files, as every process of the house does before it serves
    barrier, fared = threading.Barrier(threads + 1), []

    def go(place: int) -> None:
        barrier.wait()
        try:
            fared.append(try_to_book(session, patients[place % len(patients)]))
        except Exception as error:
            fared.append(f"{type(error).__name__}: {error}"[:300])

    runners = [threading.Thread(target=go, args=(place,)) for place in range(threads)]
    for runner in runners:
        runner.start()
    print("ready", flush=True)
    sys.stdin.readline()
    barrier.wait()
    for runner in runners:
        runner.join()
    print(json.dumps(Counter(fared)), flush=True)
    engine().dispose()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), [int(each) for each in sys.argv[3:]])
