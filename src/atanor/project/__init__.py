"""The project file, and the workflow that takes it from data to verdict stage by stage.

In: an `atanor.yaml` and the folder beside it. Out: runs with reports, candidates, releases, in `.atanor/`. The options
in the file are declared by the rooms that read them; here they are composed, checked against each other, and explained.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
