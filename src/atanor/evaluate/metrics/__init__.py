"""Every metric: what it keeps of an item, how sums of that become a score, and its smallest change of interest.

In: an `Item` and an `Outcome`, or a `MetricSpec` for `build_metric`. Out: sufficient statistics and scores. A metric is
one class here, one entry in the catalogue and one line in the registry.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
