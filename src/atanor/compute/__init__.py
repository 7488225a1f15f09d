"""The fast core: loss, gradient and likelihood of weighted token rows, and keys and values of prompts.

In: a model and rows of tokens with a weight each. Out: gradients, losses, log-likelihoods and caches. Rows are stored
as a forest in which shared prefixes stand once; no one above sees how they are laid out. The numbers are those of one
row at a time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
