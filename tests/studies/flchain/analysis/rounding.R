# Statistical disclosure control for counts: redact the small ones, round the rest.

redact_up_to <- 7
round_to <- 5

# Counts to the nearest 5; those of 1 to 7 are NA. 0 stays 0: it counts nobody.
rounded <- function(counts) {
  nearest <- round(counts / round_to) * round_to
  ifelse(counts > 0 & counts <= redact_up_to, NA_real_, nearest)
}

# Running totals to the nearest 5: no step of a curve drawn from them is fewer than 5 people.
rounded_total <- function(totals) round(totals / round_to) * round_to
