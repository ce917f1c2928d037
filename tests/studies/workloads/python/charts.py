"""matplotlib and seaborn: three formats, with text that needs a font."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from PIL import Image

folder = Path("output/charts")
folder.mkdir(parents=True, exist_ok=True)
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4))
left.plot(np.linspace(0, 6, 200), np.sin(np.linspace(0, 6, 200)))
left.set_title("Überlebenszeit ≥ 5 years")
sns.histplot(np.random.default_rng(3).normal(size=1_000), ax=right)
for extension in ("png", "svg", "pdf"):
    figure.savefig(folder / f"chart.{extension}")

assert Image.open(folder / "chart.png").size == (800, 400)
assert "<svg" in (folder / "chart.svg").read_text()
assert (folder / "chart.pdf").read_bytes().startswith(b"%PDF")
