# Does a higher free light chain level go with earlier death, whatever the age and sex?
# A Cox model, and Kaplan-Meier curves by level.
#
#   Rscript analysis/survival.R RESIDENTS.csv OUTPUT_DIR

library(broom)
library(dplyr, warn.conflicts = FALSE)
library(ggplot2)
library(readr)
library(survival)

source("analysis/rounding.R")

arguments <- commandArgs(trailingOnly = TRUE)
residents_file <- arguments[[1]]
output_dir <- arguments[[2]]

levels_of_flc <- c("lowest third", "middle third", "upper third", "top tenth")
colours <- c("#74a9cf", "#2b8cbe", "#045a8d", "#d7301f")
days_per_month <- 365.25 / 12
last_month <- 12 * 12

residents <- read_csv(residents_file, show_col_types = FALSE) |>
  mutate(
    # Deciles 1 to 9 in thirds; the highest tenth by itself.
    flc = cut(flc_decile, c(0, 3, 6, 9, 10), levels_of_flc),
    sex = factor(sex, c("female", "male")),
    decades = age / 10,
    # Three residents died on the day their blood was taken: half a day keeps them in the model.
    follow_up_days = pmax(follow_up_days, 0.5)
  )

# --- The model: one row per term, no count in it but two rounded totals.

model <- coxph(Surv(follow_up_days, died) ~ decades + sex + flc, data = residents)
names_of_terms <- c(
  decades = "age, per 10 years", sexmale = "male",
  setNames(paste("FLC,", levels_of_flc[-1]), paste0("flc", levels_of_flc[-1]))
)
tidy(model, exponentiate = TRUE, conf.int = TRUE) |>
  transmute(
    term = names_of_terms[term],
    hazard_ratio = round(estimate, 2),
    lower_95 = round(conf.low, 2),
    upper_95 = round(conf.high, 2),
    p_value = ifelse(p.value < 0.001, "<0.001", sprintf("%.3f", p.value)),
    residents = rounded(model$n),
    deaths = rounded(model$nevent)
  ) |>
  write_csv(file.path(output_dir, "cox_model.csv"))

# --- The curves, from running totals per month that are rounded before anything is computed from them.

curve_of <- function(group) {
  month <- ceiling(group$follow_up_days / days_per_month)
  total_by_month <- function(those) rounded_total(cumsum(tabulate(month[those], nbins = last_month)))
  deaths <- diff(c(0, total_by_month(group$died)))
  left <- cumsum(deaths) + total_by_month(!group$died)
  everybody <- rounded_total(nrow(group))
  at_risk <- everybody - c(0, head(left, -1))
  alive <- cumprod(1 - deaths / at_risk)
  tibble(
    month = 0:last_month,
    at_risk = c(everybody, at_risk),
    deaths = c(0, deaths),
    survival = round(c(1, alive), 4)
  )
}

curves <- residents |>
  group_by(flc) |>
  group_modify(\(group, key) curve_of(group)) |>
  ungroup()
write_csv(curves, file.path(output_dir, "survival_by_flc.csv"))

ends <- curves |>
  filter(month == last_month) |>
  mutate(label = sprintf("%s: %.0f%%", flc, 100 * survival))

chart <- ggplot(curves, aes(month / 12, survival, colour = flc)) +
  geom_step(linewidth = 0.9) +
  geom_text(aes(label = label), ends, hjust = 0, nudge_x = 0.15, size = 3.6) +
  scale_colour_manual(values = setNames(colours, levels_of_flc), guide = "none") +
  scale_x_continuous(breaks = seq(0, 12, 2), expand = expansion(c(0.01, 0.27))) +
  scale_y_continuous(labels = scales::label_percent(), limits = c(0, 1), expand = expansion(c(0, 0.02))) +
  labs(
    title = "Survival by free light chain level",
    subtitle = "Residents of Olmsted County aged 50 and over; counts rounded to 5",
    x = "Years since blood was taken", y = "Alive"
  ) +
  theme_minimal(base_size = 12) +
  theme(
    panel.grid.minor = element_blank(),
    panel.grid.major.x = element_blank(),
    plot.title = element_text(face = "bold"),
    plot.title.position = "plot",
    plot.background = element_rect(fill = "white", colour = NA)
  )
ggsave(file.path(output_dir, "survival_by_flc.png"), chart, width = 8, height = 4.8, dpi = 160)

cat(sprintf("Cox model of %d rounded deaths; %d curves\n", rounded(model$nevent), n_distinct(curves$flc)))
