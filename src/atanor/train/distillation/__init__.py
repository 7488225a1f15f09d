"""Distillation: a student learns what a teacher would say.

In: `DistillationOptions` and the material of a training. Out: the material with what the teacher wrote or drew, kept in
the folder of the training, and an objective that computes the distance from it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
