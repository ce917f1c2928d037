# mclapply, a fork cluster, a PSOCK cluster over loopback, and foreach upon it.
library(doParallel, quietly = TRUE)

work <- function(i) sum(as.numeric(seq_len(1000)) * i)
expected <- vapply(1:20, work, 0)
stopifnot(identical(unlist(parallel::mclapply(1:20, work, mc.cores = 2)), expected))

results <- list()
for (type in c("FORK", "PSOCK")) {
  cluster <- parallel::makeCluster(2, type = type)
  stopifnot(identical(unlist(parallel::parLapply(cluster, 1:20, work)), expected))
  registerDoParallel(cluster)
  results[[type]] <- foreach(i = 1:20, .combine = `+`) %dopar% work(i)
  parallel::stopCluster(cluster)
}
stopifnot(results$FORK == sum(expected), results$PSOCK == sum(expected))
dir.create("output", showWarnings = FALSE)
write.csv(data.frame(cluster = names(results), total = unlist(results)), "output/r_parallel.csv", row.names = FALSE)
