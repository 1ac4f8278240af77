"""Sessions that use a running server over its own protocol, to measure how long its pages take under load.

    python -m app.load_client PORT USERS SECONDS RUN WORKING [RELOADS]

opens a session for each user, which thinks for about 10 s, asks for a page, and waits until its script has finished.
RUN is the id of a finished run, WORKING that of a run at work. Prints one line of JSON for each answer: page, seconds.
With 0 users the pages are opened RELOADS times in turn, each time in a new session as a browser reloads a page, and one
after the other without a pause; by default every page once, so that the server has loaded what all sessions share.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import sys
import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

THINKS_S = 10.0  # mean time between two clicks
LONGEST_S = 120.0
RELOAD = 0.2  # share of the clicks that open the page in a new session


def main() -> None:
    """Use the server until the time is over."""
    port, users, seconds, run, working, *reloads = sys.argv[1:]
    pages = [("", ""), ("results", f"run={run}"), ("run", f"run={working}"), ("runs", "")]
    if int(users):
        asyncio.run(use(int(port), int(users), float(seconds), pages))
    else:
        asyncio.run(reload(int(port), int(reloads[0]) if reloads else len(pages), pages))


async def use(port: int, users: int, seconds: float, pages: list[tuple[str, str]]) -> None:
    """All users at the same time."""
    ends = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(users):
            group.create_task(user(port, random.Random(number), ends, pages))


async def reload(port: int, times: int, pages: list[tuple[str, str]]) -> None:
    """Open the pages in turn, each in a new session."""
    for page, query in itertools.islice(itertools.cycle(pages), times):
        async with session(port) as connection:
            await timed_answer(connection, page, query)


def session(port: int) -> connect:
    """A connection to the server, as a page of its own opens it."""
    address, origin = f"ws://127.0.0.1:{port}/_stcore/stream", f"http://127.0.0.1:{port}"
    return connect(address, subprotocols=["streamlit"], max_size=None, origin=origin)


async def user(port: int, chance: random.Random, ends: float, pages: list[tuple[str, str]]) -> None:
    """One user: think, click, wait for the page; now and then reload it."""
    await asyncio.sleep(chance.uniform(0, THINKS_S))
    while time.monotonic() < ends:
        async with session(port) as connection:
            while time.monotonic() < ends:
                page, query = chance.choice(pages)
                await timed_answer(connection, page, query)
                await asyncio.sleep(chance.uniform(0.5, 1.5) * THINKS_S)
                if chance.random() < RELOAD:
                    break


async def timed_answer(connection: ClientConnection, page: str, query: str) -> None:
    """Ask for a page and print how long it took."""
    began = time.monotonic()
    failed = await asyncio.wait_for(answer(connection, page, query), LONGEST_S)
    seconds = time.monotonic() - began
    print(json.dumps({"page": page or "design", "seconds": seconds, "failed": failed}), flush=True)


async def answer(connection: ClientConnection, page: str, query: str) -> bool:
    """Ask for a page and read until its script has finished; whether it ended in an exception."""
    message = BackMsg()
    message.rerun_script.page_name = page
    message.rerun_script.query_string = query
    await connection.send(message.SerializeToString())
    failed = False
    while True:
        content = await connection.recv()
        forward = ForwardMsg()
        forward.ParseFromString(content if isinstance(content, bytes) else content.encode())
        kind = forward.WhichOneof("type")
        if kind == "delta" and forward.delta.new_element.WhichOneof("type") == "exception":
            failed = True
        if kind == "script_finished" and forward.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            return failed


if __name__ == "__main__":
    main()
