# An R workload for scripts/bench: work.R ROUNDS. Survival models, tables and files, as studies have them.
suppressPackageStartupMessages({
  library(dplyr)
  library(survival)
})
set.seed(1)
dir.create("output", showWarnings = FALSE)
total <- 0
for (round in seq_len(as.integer(commandArgs(trailingOnly = TRUE)[[1]]))) {
  people <- tibble(age = runif(40000, 40, 90), sex = rbinom(40000, 1, 0.5), region = sample(letters, 40000, TRUE))
  people$days <- rexp(40000, exp(people$age / 20 - 10))
  readr::write_csv(people, "output/people.csv", progress = FALSE)
  back <- readr::read_csv("output/people.csv", show_col_types = FALSE, progress = FALSE)
  model <- coxph(Surv(days, rep(1, nrow(back))) ~ age + sex + strata(region), back)
  by_region <- back |> group_by(region) |> summarise(age = mean(age), people = n())
  total <- total + coef(model)[["age"]] + sum(by_region$people)
}
unlink("output/people.csv")
writeLines(format(total, digits = 10), "output/total_r.txt")
