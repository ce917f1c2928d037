"""multiprocessing by fork and by spawn, shared memory, threads, a child program, and asyncio on loopback."""

import asyncio
import json
import multiprocessing
import subprocess
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import shared_memory
from pathlib import Path


def square(number):
    return number * number


def fill(name):
    block = shared_memory.SharedMemory(name)
    block.buf[0] = 7
    block.close()


async def over_loopback():
    async def answer(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    reply = await reader.readline()
    writer.close()
    server.close()
    return reply.decode().strip()


def main():
    results = {}
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(2) as pool:
            results[method] = sum(pool.map(square, range(1_000)))
        with context.Manager() as manager:
            shared = manager.dict()
            shared["from"] = method
            assert dict(shared) == {"from": method}
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    child = multiprocessing.Process(target=fill, args=(block.name,))
    child.start()
    child.join()
    results["shared memory"] = block.buf[0]
    block.close()
    block.unlink()
    with ThreadPoolExecutor(20) as threads:
        results["threads"] = sum(threads.map(square, range(1_000)))
    results["child"] = subprocess.run(["sh", "-c", "echo $((6 * 7))"], capture_output=True, text=True).stdout.strip()
    results["loopback"] = asyncio.run(over_loopback())

    expected = sum(number * number for number in range(1_000))
    assert results == {
        "fork": expected, "spawn": expected, "forkserver": expected, "shared memory": 7, "threads": expected,
        "child": "42", "loopback": "HELLO",
    }, results  # fmt: skip
    Path("output").mkdir(exist_ok=True)
    Path("output/processes.json").write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
