"""Every way to customise a model, behind one interface.

In: a `Bench`: the loaded base, the training rows, the role's goal. Out: a candidate, trained or only prompted.

A method is one entry in `METHODS` (registry.py) and one in `METHOD_OPTIONS` (options.py); the project file, the
workflow, the evaluation and the store need nothing else to know it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
