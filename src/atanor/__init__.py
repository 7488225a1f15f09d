"""Atanor turns a general language model into a specialist and proves that it did.

    import atanor

    result = atanor.Project.load("atanor.yaml").run()
    for report in result.reports:
        print(report.role, report.verdict, report.headline)

Every command of the `atanor` program is a method of `Project` or a function of one of the rooms below this package.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
