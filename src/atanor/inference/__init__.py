"""Ask a base, or any adapter on it, for answers and for likelihoods, many at a time on one loaded network.

In: prompts or weighted token rows. Out: texts, or nats. Which adapter answers is chosen by the caller with
`atanor.models.answering_as`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
