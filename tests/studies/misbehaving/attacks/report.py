"""The same report as report.sh writes, for attacks in Python."""

import sys
from pathlib import Path

status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
if int(status["CapEff"], 16) or status["Seccomp"] != "2":
    sys.exit("refusing to attack: this process is not confined")

Path("output").mkdir(exist_ok=True)
_report = Path("output", Path(sys.argv[0]).stem + ".txt").open("w", buffering=1)


def _say(word: str, sentence: str, detail: object) -> None:
    line = f"{word:<7} {sentence} ({detail})"
    print(line, flush=True)
    print(line, file=_report)


def held(sentence: str, detail: object) -> None:
    _say("held", sentence, detail)


def broken(sentence: str, detail: object) -> None:
    _say("BROKEN", sentence, detail)


def must_fail(sentence: str, attempt, *errors: str) -> None:
    """Calls `attempt`, which must raise OSError, with one of `errors` ("EPERM") where any is named."""
    import errno

    try:
        result = attempt()
    except OSError as error:
        name = errno.errorcode.get(error.errno, str(error))
        (held if not errors or name in errors else broken)(sentence, name)
    else:
        broken(sentence, f"worked: {result!r}")


def must_work(sentence: str, attempt) -> None:
    try:
        attempt()
    except OSError as error:
        broken(sentence, error)
    else:
        held(sentence, "worked, as it should")
