"""Tell the trackers a team looks at, TensorBoard and MLflow, what a run does while it does it.

In: what a run is, its history of losses as it grows, its verdict and its files. Out: the same in the tracker, every
step once, however often the run was killed and however long the tracker was away.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
