"""Each kind of file to its rows.

In: a `Source` (`atanor.data.sources`). Out: one `Record` or `Refusal` after the other, in the order of the file. A
reader holds a bounded part of its file in memory, refuses a bad row with its place, its reason and its fix, and goes on
with the next one; only what makes the rest of a file unreadable is a `DataError`. `atanor.data.readers` knows which
reader is for which kind, `atanor.data.limits` what is too much.
"""
