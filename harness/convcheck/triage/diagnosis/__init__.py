"""What a finding looks like, in words that lead to its cause."""
