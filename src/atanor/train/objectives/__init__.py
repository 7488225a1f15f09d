"""What training minimises, as functions of the likelihoods of rows.

An objective takes the items of one optimizer step and adds the gradient of their loss through the engine, which
computes what the items' rows have in common once. A new objective is a class with three methods, a group of options
(options.py) and one entry of `OBJECTIVES` (registry.py).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
