"""What oracles share: the trial, the reference's results, comparisons, and words for where a result is wrong."""
