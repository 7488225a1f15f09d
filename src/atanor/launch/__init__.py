"""Where a run executes: in this process, in several under torchrun, or on Ray.

In: a `Specification`: a folder that holds everything the run needs, and the function that runs it. Out: that folder
with what was made, its progress shown while it is made, and one error that names the process it came from. A launcher
for rented machines is one class more: it copies the folder there, starts it, and fetches it back.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
