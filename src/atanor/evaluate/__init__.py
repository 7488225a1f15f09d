"""Compare a candidate with the baseline on the same held-out items, and say `better`, `worse` or how little is known.

In: items, what both candidates made of them (outcomes), the metrics and gates of a role. Out: comparisons with
intervals and p-values, gate results, one verdict with its sentence, and the report that shows them.

Four steps, a module each: `runner` lets a candidate answer, `metrics` marks the answers, `comparison` with `statistics`
behind it decides, `gates` asks whether that is enough.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
