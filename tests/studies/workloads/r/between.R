# Reads in R what Python wrote: Stata and compressed CSV files, and inputs of two actions.
people <- haven::read_dta("output/tables/people.dta")
same <- readr::read_csv("output/tables/people.csv.gz", show_col_types = FALSE)
stopifnot(nrow(people) == 20000, identical(as.numeric(people$age), same$age))
parts <- list.files("output", pattern = "part.csv", recursive = TRUE, full.names = TRUE)
stopifnot(length(parts) == 14, sum(vapply(parts, \(part) read.csv(part)$value, 0L)) == 105)
write.csv(data.frame(people = nrow(people), parts = length(parts)), "output/between.csv", row.names = FALSE)
