"""Starts many short children, one after the other, as shell scripts and R do."""

import subprocess
import sys
from pathlib import Path

wanted = int(sys.argv[1])
answers = [subprocess.run(["sh", "-c", f"echo {number} | sed s/^/n/"], capture_output=True, text=True) for number in range(wanted)]
assert [answer.stdout for answer in answers] == [f"n{number}\n" for number in range(wanted)]
Path("output").mkdir(exist_ok=True)
Path("output/children.txt").write_text(f"{len(answers)} children\n")
