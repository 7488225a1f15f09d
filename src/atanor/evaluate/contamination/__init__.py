"""Contamination: test items that stand in the training rows. `leaks` is what is known of them, `search` finds them."""
