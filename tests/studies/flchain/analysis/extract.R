# Writes the study population: one row per resident, as an extract from a patient database would have it.
#
#   Rscript analysis/extract.R OUTPUT.csv

library(dplyr, warn.conflicts = FALSE)
library(readr)

output <- commandArgs(trailingOnly = TRUE)[[1]]

residents <- survival::flchain |>
  as_tibble() |>
  transmute(
    patient_id = row_number(),
    age,
    sex = recode(as.character(sex), F = "female", M = "male"),
    sample_year = sample.yr,
    flc_decile = flc.grp,
    creatinine,
    mgus = mgus == 1,
    follow_up_days = futime,
    died = death == 1
  )

stopifnot(
  "every resident is there" = nrow(residents) == 7874,
  "nobody is there twice" = !anyDuplicated(residents$patient_id),
  "age, sex and outcome are complete" = !anyNA(select(residents, age, sex, flc_decile, follow_up_days, died))
)

dir.create(dirname(output), showWarnings = FALSE, recursive = TRUE)
write_csv(residents, output)
cat(sprintf("%s: %d residents, %d columns\n", output, nrow(residents), ncol(residents)))
