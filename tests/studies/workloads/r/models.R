# survival and ggplot2.
library(ggplot2)
library(survival)

model <- coxph(Surv(time, status) ~ age + sex, data = lung)
stopifnot(abs(coef(model)[["sex"]] + 0.51) < 0.02)
curves <- survfit(Surv(time, status) ~ sex, data = lung)
stopifnot(abs(summary(curves)$table[, "median"] - c(270, 426)) < 1)

dir.create("output", showWarnings = FALSE)
write.csv(round(data.frame(estimate = coef(model)), 2), "output/r_models.csv")
drawn <- data.frame(time = curves$time, alive = curves$surv, sex = rep(c("male", "female"), curves$strata))
ggsave("output/r_models.png", ggplot(drawn, aes(time, alive, colour = sex)) + geom_step(), width = 6, height = 4)
png("/tmp/base.png")
plot(curves)
invisible(dev.off())
stopifnot(file.size("output/r_models.png") > 5000, file.size("/tmp/base.png") > 2000)
