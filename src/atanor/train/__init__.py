"""Train an adapter on weighted token rows: objective, loop, checkpoints, resume.

In: a model with a fresh adapter, rows, options. Out: the best adapter as PEFT safetensors and the history of losses.
Interrupted at any instant, the same call goes on to bit-identical weights on a CPU.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
