"""Search of options by trials on validation rows, with Optuna: what may be tried, in which order, and what came of it.

In: the options of a method, and something that trains with values and tells validation losses. Out: every trial, the
best one, and how much of its lead is noise. Optuna itself (the extra `search`) is imported only where a study is open.
"""
