"""statsmodels and scikit-learn, the latter with two jobs."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.stats
import statsmodels.formula.api as smf
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

generator = np.random.default_rng(2)
data = pd.DataFrame(generator.normal(size=(4_000, 3)), columns=["age", "dose", "noise"])
data["died"] = (generator.random(4_000) < scipy.special.expit(0.8 * data["age"] - 0.5 * data["dose"])).astype(int)

logit = smf.logit("died ~ age + dose + noise", data).fit(disp=False)
assert abs(logit.params["age"] - 0.8) < 0.15 and abs(logit.params["dose"] + 0.5) < 0.15
assert smf.ols("dose ~ age", data).fit().rsquared < 0.01

forest = RandomForestClassifier(60, n_jobs=2, random_state=0)
with warnings.catch_warnings():
    # joblib falls back to one process with a warning where it cannot have semaphores: that would be our fault.
    warnings.simplefilter("error")
    accuracy = cross_val_score(forest, data[["age", "dose", "noise"]], data["died"], cv=4, n_jobs=2).mean()
assert 0.55 < accuracy < 0.85, accuracy

Path("output").mkdir(exist_ok=True)
logit.params.round(2).rename("coefficient").to_csv("output/models.csv", index_label="term")
