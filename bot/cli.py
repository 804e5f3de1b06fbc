"""The command `daoyi`."""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

from bot.errors import DaoyiError
from bot.staff.roles import ROLES
from bot.workbench import commands as workbench
from bot.workbench import models
from channels.wechat import command as wechat

STAFF_DEEDS = {
    "add": "make an account; the password is read from stdin",
    "close": "close an account at once",
    "password": "set a new password, read from stdin; ends every sign-in",
    "role": "change what an account may do",
}


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit code is 0, or 1 with a sentence on stderr that says what to do."""
    parser = argparse.ArgumentParser(prog="daoyi", description="导医台: the information desk of a hospital")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the web process and its workers")
    serve.add_argument(
        "--role",
        choices=("all", "web", "worker", "worker-process"),
        default="all",
        help="only the web process; only this host's workers, kept running; one worker as those are started",
    )
    commands.add_parser("train", help="train the model when no model fits today's files")
    commands.add_parser("migrate", help="bring the database to the newest form")
    commands.add_parser("demo", help="fill the sample hospital's schedule and make the demo accounts of the desk")
    chat = commands.add_parser("chat", help="talk in the terminal, through the real path of a turn")
    chat.add_argument("--json", action="store_true", help="one JSON object a line in and out, for programs")
    commands.add_parser("parse", help="one text a line in, one JSON line each out")
    evaluate = commands.add_parser("evaluate", help="how well patients are understood: figures, report, comparison")
    evaluate.add_argument("--set", default="tuning", help="tuning, test, or a YAML file of lines")
    evaluate.add_argument("--model", type=Path, help="a model's file; left out, the one of today's files")
    evaluate.add_argument("--json", type=Path, help="write all figures and each line's answer to a file")
    evaluate.add_argument("--html", type=Path, help="write the report with charts to a file")
    evaluate.add_argument(
        "--learning-curve", action="store_true", help="also fit a quarter, half … of the lines (slow)"
    )
    evaluate.add_argument(
        "--danger", action="store_true", help="also what is told of danger, over tests/bot/safety and the set"
    )
    evaluate.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two files that --json wrote")
    clinic = commands.add_parser("clinic", help="stop a clinic session or let it take place after all")
    clinic.add_argument("what", choices=("stop", "resume"))
    clinic.add_argument("date", help="2026-12-01")
    clinic.add_argument("doctor", help="code or name")
    clinic.add_argument("period", choices=("am", "pm", "evening"))
    clinic.add_argument("--reason", default="", help="what patients are told; needed to stop")
    staff = commands.add_parser("staff", help="accounts of the desk: add, list, close, password, role")
    deeds = staff.add_subparsers(dest="deed", required=True)
    deeds.add_parser("list", help="every account")
    for deed, help_ in STAFF_DEEDS.items():
        one = deeds.add_parser(deed, help=help_)
        one.add_argument("number", help="工号")
        if deed == "add":
            one.add_argument("name")
        if deed in ("add", "role"):
            one.add_argument("role", choices=tuple(ROLES))
    wechat.add_command(commands)
    workbench.add_commands(commands)
    given = parser.parse_args(argv)
    _only_our_own_warnings()
    try:
        return COMMANDS[given.command](given)
    except DaoyiError as error:
        print(f"daoyi {given.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _only_our_own_warnings() -> None:
    """Leave out what Rasa's dependencies of 2023 warn of about themselves: nobody here can mend it.

    No filter does that, whether by PYTHONWARNINGS or in code: Sanic puts one of its own before it when it is imported.
    """
    show = warnings.showwarning

    def show_ours(message, category, filename, lineno, file=None, line=None) -> None:
        if "site-packages" not in filename and not filename.startswith("<"):
            show(message, category, filename, lineno, file, line)

    warnings.showwarning = show_ours


def _quiet_libraries(level: int = logging.ERROR) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)


def _serve(given) -> int:
    from bot.serve import serve

    return serve(given.role, prepare=lambda: _demo(given))


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
        print(line, flush=True)
    return 0


def _staff(given) -> int:
    from bot.clock import now
    from bot.patients.access import record
    from bot.staff import service
    from bot.storage.engine import writing

    with writing() as conn:
        if given.deed == "list":
            for row in service.everybody(conn):
                print(row.number, row.name, row.role, "open" if row.active else "closed", sep="\t")
            return 0
        if given.deed == "add":
            service.add(conn, given.number, given.name, given.role, sys.stdin.readline().rstrip("\n"))
        else:
            account = service.id_of(conn, given.number)
            if given.deed == "close":
                service.close(conn, account)
            elif given.deed == "password":
                service.set_password(conn, account, sys.stdin.readline().rstrip("\n"))
            else:
                service.set_role(conn, account, given.role)
        record(conn, "staff:console", f"account_{given.deed}", now(), detail={"number": given.number})
    print(f"account {given.number}: {given.deed} done")
    return 0


def _clinic(given) -> int:
    from datetime import date

    from bot.appointments import schedule
    from bot.clock import now
    from bot.hospital.load import load_hospital
    from bot.hospital.names import resolve_doctor
    from bot.storage.engine import writing

    try:
        day = date.fromisoformat(given.date)
    except ValueError as error:
        raise DaoyiError(f"{given.date} is no date; write it as 2026-12-01") from error
    if given.what == "stop" and not given.reason.strip():
        raise DaoyiError("say why with --reason: patients are told so")
    found = (
        [given.doctor] if given.doctor in load_hospital().doctors else [m.code for m in resolve_doctor(given.doctor)]
    )
    if len(found) != 1:
        raise DaoyiError(f"{given.doctor}: {len(found)} doctors have this name; give the code of doctors.csv")
    with writing() as conn:
        sessions = schedule.sessions_of(conn, found[0], day, given.period)
        if not sessions:
            raise DaoyiError(f"{found[0]} has no session on {day} {given.period}; see schedule.csv")
        for session in sessions:
            if given.what == "stop":
                changed = schedule.stop_session(conn, session, given.reason.strip(), now())
            else:
                changed = schedule.resume_session(conn, session, now())
            done = {"stop": "stopped", "resume": "takes place"}[given.what]
            print(
                f"session {session} of {found[0]}: {done}"
                + ("; its patients are being told" if changed else " already")
            )
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


def _evaluate(given) -> int:
    _quiet_libraries()
    from bot.nlu import evaluate

    if given.compare:
        _print_comparison(evaluate.compare(*map(evaluate.read_result, given.compare)))
        return 0
    path = evaluate.SETS.get(given.set) or Path(given.set)
    lines = evaluate.cases(path)
    with _own_stdout() as out:
        from bot.nlu.lean import without_tensorflow
        from bot.nlu.training import ready_model

        model = given.model or ready_model(progress=lambda line: print(line, file=sys.stderr))
        without_tensorflow()
        result = evaluate.measure(lines, evaluate.read_all(lines, model))
        if given.danger:
            result["danger"] = _danger(lines, model)
        curve = []
        if given.learning_curve:
            from bot.nlu.crossvalidate import learning_curve

            curve = learning_curve(lines)
        for name, value in result.items():
            if name not in ("each", "confused", "danger"):
                print(f"{name:34} {json.dumps(value, ensure_ascii=False)}", file=out)
        for name, one in result.get("danger", {}).items():
            kind = "recall" if one["danger"] else "false alarms"
            print(f"{name:26} {one['lines']:5} lines, {kind}: alarm {one['alarm']}, any {one['any']}", file=out)
        for label, guess, count in result["confused"][:25]:
            print(f"{count:4} {label} -> {guess}", file=out)
        for size, share in curve:
            print(f"{size:6} training lines: {share:.4f}", file=out)
    if given.json:
        given.json.write_text(json.dumps(result, ensure_ascii=False, indent=1), encoding="utf-8")
    if given.html:
        from bot.nlu.report import page

        given.html.write_text(page(result, f"导医台的理解能力：{path.stem}", curve), encoding="utf-8")
    return 0


def _danger(lines: list, model: Path) -> dict:
    import actions.rasa_actions  # noqa: F401  (its import registers the flows)
    from bot.dialogue.decide import warning
    from bot.nlu import evaluate
    from bot.nlu.reader import Reader

    read = lru_cache(maxsize=None)(Reader.load(model).read)
    return evaluate.danger(evaluate.danger_sets(lines), lambda text: warning(text, read, evaluate.NOW))


def _print_comparison(found: dict) -> None:
    for name in ("mended", "broken"):
        for one in found.pop(name):
            print(f"{name} {one['label']} (now {one['found']}): {one['text']}")
    for name, value in found.items():
        print(f"{name:20} {value}")


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
        model = models.live_path() or ready_model(progress=lambda line: print(line, file=sys.stderr))
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
    "evaluate": _evaluate,
    "staff": _staff,
    "clinic": _clinic,
    "wechat": wechat.run,
    "nlu": workbench.run_nlu,
    "models": workbench.run_models,
}

if __name__ == "__main__":
    sys.exit(main())
