"""What a layer does: in words, in numbers, and in pictures to scale."""
