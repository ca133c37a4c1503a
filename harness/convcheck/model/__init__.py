"""What everything else speaks of: plain, frozen data without behaviour of its own."""
