# dplyr, readr, data.table, lubridate; and that the study's .Rprofile was read.
library(data.table, warn.conflicts = FALSE)
library(dplyr, warn.conflicts = FALSE)
library(lubridate, warn.conflicts = FALSE)
library(readr)

stopifnot(identical(getOption("workloads.profile"), "read"))

set.seed(1)
people <- tibble(
  person = 1:20000,
  region = sample(c("north", "east", "south", "west"), 20000, replace = TRUE),
  seen = ymd("2020-02-29") + days(sample(0:364, 20000, replace = TRUE))
)
by_region <- people |>
  left_join(tibble(region = c("north", "east", "south", "west"), area = 1:4), by = "region") |>
  count(region, area, name = "people")
stopifnot(sum(by_region$people) == 20000)
stopifnot(all(as.data.table(people)[, .N, keyby = region]$N == by_region$people))

dir.create("output", showWarnings = FALSE)
saveRDS(people, "output/r_tables.rds")
stopifnot(identical(readRDS("output/r_tables.rds"), people))
fwrite(people, "/tmp/people.csv")
stopifnot(nrow(fread("/tmp/people.csv")) == 20000, nrow(read_csv("/tmp/people.csv", show_col_types = FALSE)) == 20000)

by_region |>
  mutate(people = 5 * round(people / 5)) |>
  write_csv("output/r_tables.csv")
