"""Find and load base models, their tokenizers and chat templates, and the adapters on disk.

In: a base's name (`pkg:`, `hf:`, `path:`, `gguf:`), messages, adapter folders. Out: a `Base` in memory, tokens with the
span of every assistant turn, PEFT models. Nothing here knows about rows, training or verdicts.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
