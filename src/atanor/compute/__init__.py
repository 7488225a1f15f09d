"""The fast core: loss and likelihood of weighted token rows under a model.

In: a model and rows of tokens with a weight each. Out: losses with gradients, log-likelihoods. It decides how rows are
laid out as forward passes and in which precision; no one above sees a padded tensor.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
