"""Measure a running system: one message at a time, ten patients at once, a long talk against new ones."""

import asyncio
import time

import aiohttp

from benchmarks.machine import load
from benchmarks.messages import Question, series
from benchmarks.systems import System

TURNS_A_TALK = 8
WARM_UP = 2


async def one_by_one(system: System, kind: str, count: int) -> dict:
    """Send `count` messages of a kind one after another, a new conversation every eight; give the raw figures."""
    async with aiohttp.ClientSession() as http:
        talk = None
        ms, right = [], 0
        await _warm(system, http)
        cpu, since = system.cpu_seconds(), time.time()
        for number, question in enumerate(series(kind, count)):
            if number % TURNS_A_TALK == 0:
                talk = await _next_talk(system, http, talk)
            took, answer = await _timed(talk, question)
            ms.append(took)
            right += question.expects in answer
        until = time.time()
        spent = system.cpu_seconds() - cpu
        await talk.close()
    return {"ms": ms, "turn_ms": system.turn_times(since, until), "cpu_s": spent, "right": right, "load": load()}


async def closed_loop(system: System, talks: int, count: int) -> dict:
    """Let `talks` patients send a mix of `count` messages in all, each waiting for his answer before the next."""
    questions = iter(series("mix", count))
    ms, right = [], 0

    async def patient(http: aiohttp.ClientSession) -> None:
        nonlocal right
        talk = None
        for number, question in enumerate(questions):  # the patients share one list
            if number % TURNS_A_TALK == 0:
                talk = await _next_talk(system, http, talk)
            took, answer = await _timed(talk, question)
            ms.append(took)
            right += question.expects in answer
        if talk is not None:
            await talk.close()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await _warm(system, http)
        cpu, started = system.cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(patient(http) for _ in range(talks)))
        wall, spent = time.perf_counter() - started, system.cpu_seconds() - cpu
    return {"ms": ms, "wall_s": wall, "cpu_s": spent, "count": count, "right": right, "load": load()}


async def long_talk(system: System, turns: int, count: int) -> dict:
    """Write `turns` messages into one talk, then time `count` more in it, alternating with as many in new talks."""
    times = {"long_utter": [], "new_utter": [], "long_action": [], "new_action": []}
    async with aiohttp.ClientSession() as http:
        old = await _next_talk(system, http, None)
        for question in series("mix", turns):
            await old.ask(question.text)
        for kind in ("utter", "action"):
            new = None
            for number, question in enumerate(series(kind, count)):
                if number % TURNS_A_TALK == 0:
                    new = await _next_talk(system, http, new)
                    await new.ask(question.text)  # the first turn of a talk also makes it
                took, _ = await _timed(old, question)
                times[f"long_{kind}"].append(took)
                took, _ = await _timed(new, question)
                times[f"new_{kind}"].append(took)
            await new.close()
        await old.close()
    return {**times, "turns": turns, "load": load()}


async def _warm(system: System, http: aiohttp.ClientSession) -> None:
    talk = await _next_talk(system, http, None)
    for question in series("mix", WARM_UP):
        await talk.ask(question.text)
    await talk.close()


async def _next_talk(system: System, http: aiohttp.ClientSession, last):
    if last is not None:
        await last.close()
    talk = system.talk(http, system.base)
    await talk.open()
    return talk


async def _timed(talk, question: Question) -> tuple[float, str]:
    started = time.perf_counter()
    answer = await talk.ask(question.text)
    return (time.perf_counter() - started) * 1000, answer
