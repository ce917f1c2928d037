"""A pandas workload for scripts/bench: work.py ROUNDS. Files, joins, groups and sorts, as studies have them."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

generator = np.random.default_rng(1)
Path("output").mkdir(exist_ok=True)
total = 0
for _ in range(int(sys.argv[1])):
    rows = 300_000
    events = pd.DataFrame({
        "person": generator.integers(0, 50_000, rows),
        "code": generator.integers(0, 500, rows).astype(str),
        "day": generator.integers(0, 3_650, rows),
    })  # fmt: skip
    events.to_csv("output/events.csv", index=False)
    back = pd.read_csv("output/events.csv", dtype={"code": str})
    first = back.sort_values(["person", "day"]).groupby("person", as_index=False).first()
    joined = back.merge(first, on="person", suffixes=("", "_first"))
    total += int((joined["day"] - joined["day_first"]).sum())
Path("output/events.csv").unlink()
Path("output/total.txt").write_text(f"{total}\n")
