"""Against forgetting and overfitting: general rows in every step, and penalties beside the objective.

Rows are replayed (`replay`), penalties are `Regulariser`s (`regulariser`): they add their gradient and their value
after the objective, and are told apart in the log.
"""
