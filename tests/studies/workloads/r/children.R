# Starts many short children, as real R actions do.
wanted <- as.integer(commandArgs(trailingOnly = TRUE)[[1]])
answers <- vapply(seq_len(wanted), \(i) system2("echo", i, stdout = TRUE), "")
stopifnot(identical(answers, as.character(seq_len(wanted))))
dir.create("output", showWarnings = FALSE)
writeLines(sprintf("%d children", wanted), "output/r_children.txt")
