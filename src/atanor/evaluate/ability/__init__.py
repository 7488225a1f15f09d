"""Probes of general ability: what a base could do before it was tuned, asked of the base and of every candidate.

In: the setting and the files of `evaluate`. Out: tasks, each with its items, what a model makes of them, and metrics.
"""
