"""folders.py write N: N files in N folders. folders.py read N: adds them up, and finds nothing else there."""

import csv
import sys
from pathlib import Path

verb, wanted = sys.argv[1], int(sys.argv[2])
folders = [Path(f"output/folder_{number:02}") for number in range(1, wanted + 1)]
if verb == "write":
    for number, folder in enumerate(folders, 1):
        folder.mkdir(parents=True)
        (folder / "part.csv").write_text(f"name,value\n{folder.name},{number}\n")
else:
    assert sorted(Path("output").rglob("*")) == sorted([*folders, *(folder / "part.csv" for folder in folders)])
    total = 0
    for folder in folders:
        with (folder / "part.csv").open() as file:
            total += sum(int(row["value"]) for row in csv.DictReader(file))
    assert total == wanted * (wanted + 1) // 2
    Path("output/folders.csv").write_text(f"folders,total\n{wanted},{total}\n")
