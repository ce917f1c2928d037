"""Statistical disclosure control for counts: redact the small ones, round the rest."""

import pandas as pd

REDACT_UP_TO = 7
ROUND_TO = 5


def rounded(counts: pd.Series) -> pd.Series:
    """Counts to the nearest 5; those of 1 to 7 are missing. 0 stays 0: it counts nobody."""
    nearest = (counts / ROUND_TO).round() * ROUND_TO
    small = counts.between(1, REDACT_UP_TO)
    return nearest.mask(small).astype("Int64")


def redacted_text(counts: pd.Series) -> pd.Series:
    """Rounded counts as they are written to a file."""
    return counts.astype("string").fillna("[REDACTED]")
