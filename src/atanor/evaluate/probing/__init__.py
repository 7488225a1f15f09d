"""Probes: what a candidate does beside its task, measured like the task itself and compared with the base.

A probe is items, what the model is asked about them, and metrics; it belongs to a section of the report. In: its
options and `Ground` (the base, the role's rows, how its candidate is asked). Out: outcomes, which
`evaluate.comparison.compare` turns into changes with intervals. `registry.PROBES` has every probe; one more is options
in `options`, a builder, and a line there.
"""
