"""pandas: joins, groups, and the file formats that are there."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd

generator = np.random.default_rng(1)
people = pd.DataFrame({
    "person": np.arange(20_000),
    "region": generator.choice(["north", "east", "south", "west"], 20_000),
    "age": generator.integers(18, 100, 20_000),
    "seen": pd.Timestamp("2020-02-29") + pd.to_timedelta(generator.integers(0, 365, 20_000), "D"),
})  # fmt: skip
regions = pd.DataFrame({"region": ["north", "east", "south", "west"], "area": [10, 20, 30, 40]})
table = people.merge(regions).groupby(["region", "area"], as_index=False).agg(people=("person", "size"), age=("age", "mean"))
assert table["people"].sum() == 20_000
assert people.set_index("seen").resample("M")["person"].count().sum() == 20_000

folder = Path("output/tables")
folder.mkdir(parents=True, exist_ok=True)
round_trips = {
    "csv.gz": (lambda path: people.to_csv(path, index=False), lambda path: pd.read_csv(path, parse_dates=["seen"])),
    "dta": (lambda path: people.to_stata(path, write_index=False), pd.read_stata),
    "pickle": (people.to_pickle, pd.read_pickle),
    "xlsx": (lambda path: people.head(500).to_excel(path, index=False), pd.read_excel),
    "h5": (lambda path: people.to_hdf(path, "people"), pd.read_hdf),
}
for extension, (write, read) in round_trips.items():
    path = folder / f"people.{extension}"
    write(path)
    back = read(path)
    assert (back["age"].to_numpy() == people["age"].to_numpy()[: len(back)]).all(), extension

with sqlite3.connect("/tmp/people.sqlite") as database:
    people.to_sql("people", database, index=False)
    assert database.execute("select count(*) from people").fetchone() == (20_000,)

table.assign(people=(table["people"] / 5).round() * 5).round(1).to_csv("output/tables.csv", index=False)
