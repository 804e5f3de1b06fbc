"""The command `daoyi`."""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from bot.errors import DaoyiError


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 1 with a sentence on stderr that says what to do."""
    parser = argparse.ArgumentParser(prog="daoyi", description="导医台: the information desk of a hospital")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the web process and its workers")
    serve.add_argument("--role", choices=("all", "web", "worker"), default="all")
    commands.add_parser("train", help="train the model when no model fits today's files")
    commands.add_parser("migrate", help="bring the database to the newest form")
    commands.add_parser("demo", help="fill the sample hospital's schedule and make the demo accounts of the desk")
    chat = commands.add_parser("chat", help="talk in the terminal, through the real path of a turn")
    chat.add_argument("--json", action="store_true", help="one JSON object a line in and out, for programs")
    commands.add_parser("parse", help="one text a line in, one JSON line each out")
    staff = commands.add_parser("staff", help="make an account of the desk; the password is read from stdin")
    staff.add_argument("number", help="工号")
    staff.add_argument("name")
    staff.add_argument("role", choices=("agent", "supervisor"))
    given = parser.parse_args(argv)
    try:
        return COMMANDS[given.command](given)
    except DaoyiError as error:
        print(f"daoyi {given.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _quiet_libraries(level: int = logging.ERROR) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    import warnings

    warnings.filterwarnings("ignore")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)


def _serve(given) -> int:
    from bot.serve import serve

    return serve(given.role)


def _train(_given) -> int:
    _quiet_libraries()
    from bot.nlu.training import train

    with _own_stdout() as say:
        train(progress=lambda line: print(line, file=say, flush=True))
    return 0


def _migrate(_given) -> int:
    from bot.storage.migrate import migrate

    migrate()
    print("database is up to date")
    return 0


def _demo(_given) -> int:
    from bot.demo import prepare_demo

    for line in prepare_demo():
        print(line)
    return 0


def _staff(given) -> int:
    from bot.staff.service import add
    from bot.storage.engine import writing

    password = sys.stdin.readline().rstrip("\n")
    if len(password) < 10:
        raise DaoyiError("the password needs at least 10 characters, on one line of stdin")
    with writing() as conn:
        add(conn, given.number, given.name, given.role, password)
    print(f"account {given.number} is ready")
    return 0


def _parse(_given) -> int:
    _quiet_libraries()
    from bot.clock import now
    from bot.nlu.lean import without_tensorflow
    from bot.nlu.training import ready_model

    with _own_stdout() as out:
        model = ready_model(progress=lambda line: print(line, file=sys.stderr))
        without_tensorflow()
        from bot.nlu.reader import Reader

        reader = Reader.load(model)
        for line in sys.stdin:
            text = line.rstrip("\n")
            if not text.strip():
                continue
            print(json.dumps(_as_json(reader.read(text, now())), ensure_ascii=False), file=out, flush=True)
    return 0


def _as_json(reading) -> dict:
    return {
        "text": reading.text,
        "intent": reading.label,
        "confidence": round(float(reading.confidence), 4),
        "ranking": [{"intent": label, "confidence": round(float(c), 4)} for label, c in reading.ranking[:3]],
        "danger": reading.danger,
        "entities": [
            {"entity": e.entity, "start": e.start, "end": e.end, "text": e.text, "value": e.value}
            for e in reading.entities
        ],
    }


def _chat(given) -> int:
    _quiet_libraries()
    if given.json:
        # A fresh temporary sample database: what a program tries leaves no trace.
        folder = tempfile.TemporaryDirectory(prefix="daoyi-chat-")
        os.environ["DAOYI_DATABASE"] = f"sqlite:///{folder.name}/chat.db"
        os.environ["DAOYI_SECRET_FILE"] = f"{folder.name}/secret.key"
    from bot.demo import prepare_demo
    from bot.nlu.lean import without_tensorflow
    from bot.nlu.training import ready_model
    from bot.storage.migrate import migrate

    with _own_stdout() as out:
        migrate()
        prepare_demo()
        model = ready_model(progress=lambda line: print(line, file=sys.stderr))
        without_tensorflow()
        from bot.dialogue.chat import Terminal

        terminal = Terminal(Path(model))
        asyncio.run(terminal.run_json(sys.stdin, out) if given.json else terminal.run(sys.stdin, out))
    return 0


class _own_stdout:
    """Keep stdout for our own lines: what libraries print goes to stderr."""

    def __enter__(self):
        self.ours = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
        os.dup2(2, 1)
        return self.ours

    def __exit__(self, *_):
        self.ours.flush()
        os.dup2(self.ours.fileno(), 1)


COMMANDS = {
    "serve": _serve,
    "train": _train,
    "migrate": _migrate,
    "demo": _demo,
    "chat": _chat,
    "parse": _parse,
    "staff": _staff,
}

if __name__ == "__main__":
    sys.exit(main())
