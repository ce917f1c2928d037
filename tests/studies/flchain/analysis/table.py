"""Deaths by age band and sex: a table for release, and the chart that goes with it.

python analysis/table.py --residents output/flchain.csv --output-dir output
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from rounding import REDACT_UP_TO, redacted_text, rounded

AGE_BANDS = {"50–59": 60, "60–69": 70, "70–79": 80, "80–89": 90, "90+": 200}  # name: first age above
COLOURS = {"female": "#7b3294", "male": "#008837"}

# Equal data give equal bytes: no date and no random identifiers in the files.
plt.rcParams.update({"svg.hashsalt": "flchain", "svg.fonttype": "none", "font.size": 11})


def deaths_by_age_and_sex(residents: pd.DataFrame) -> pd.DataFrame:
    """One row per age band and sex, every count already rounded or redacted."""
    bands = pd.cut(residents["age"], [50, *AGE_BANDS.values()], right=False, labels=list(AGE_BANDS))
    groups = residents.groupby([bands.rename("age_band"), "sex"])["died"]
    exact = groups.agg(residents="size", deaths="sum").reset_index()
    # Few survivors, or none, are as telling as few deaths: either hides both.
    few_survivors = exact["residents"] - exact["deaths"] <= REDACT_UP_TO

    table = exact[["age_band", "sex"]].copy()
    table["residents"] = rounded(exact["residents"])
    table["deaths"] = rounded(exact["deaths"]).mask(few_survivors)
    table["percent_died"] = (100 * table["deaths"] / table["residents"]).astype("Float64").round(1)
    return table


def write_table(table: pd.DataFrame, path: Path) -> None:
    text = table.assign(
        residents=redacted_text(table["residents"]),
        deaths=redacted_text(table["deaths"]),
        percent_died=redacted_text(table["percent_died"]),
    )
    text.to_csv(path, index=False)


def draw_chart(table: pd.DataFrame):
    figure, axes = plt.subplots(figsize=(8, 4.8), layout="constrained")
    width = 0.38
    for side, (sex, colour) in enumerate(COLOURS.items()):
        rows = table[table["sex"] == sex].reset_index(drop=True)
        shown = rows["percent_died"].astype("float")
        centres = rows.index + (side - 0.5) * (width + 0.02)
        bars = axes.bar(centres, shown, width, color=colour, label=sex)
        labels = ["" if pd.isna(percent) else f"{percent:.0f}%" for percent in shown]
        axes.bar_label(bars, labels, padding=2, fontsize=9.5, color="#444444")
        for centre in centres[shown.isna()]:
            axes.annotate("not\nshown", (centre, 1), ha="center", fontsize=8.5, color=colour)

    axes.set_xlim(-0.6, len(AGE_BANDS) - 0.4)
    axes.set_xticks(range(len(AGE_BANDS)), AGE_BANDS)
    axes.set_xlabel("Age when blood was taken (not shown: 7 or fewer died, or survived)")
    axes.set_ylim(0, 100)
    axes.set_yticks(range(0, 101, 25), [f"{tick}%" for tick in range(0, 101, 25)])
    axes.tick_params(length=0)
    axes.yaxis.grid(color="#e5e5e5")
    axes.set_axisbelow(True)
    for edge in ("top", "right", "left"):
        axes.spines[edge].set_visible(False)
    axes.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(-0.015, 1), columnspacing=1.2)
    figure.suptitle("Residents who died during follow-up, by age and sex", x=0.02, ha="left", weight="bold")
    return figure


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--residents", type=Path, required=True)
    parser.add_argument("--output-dir", type=Path, required=True)
    options = parser.parse_args()

    table = deaths_by_age_and_sex(pd.read_csv(options.residents))
    options.output_dir.mkdir(parents=True, exist_ok=True)
    write_table(table, options.output_dir / "deaths_by_age_sex.csv")
    figure = draw_chart(table)
    figure.savefig(options.output_dir / "deaths_by_age.png", dpi=160, metadata={"Software": None})
    figure.savefig(options.output_dir / "deaths_by_age.svg", metadata={"Date": None})
    print(f"{len(table)} groups, {table['deaths'].isna().sum()} redacted")


if __name__ == "__main__":
    main()
