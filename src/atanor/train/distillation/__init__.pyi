from .objective import Distillation
from .options import DistillationOptions
from .preparing import build, prepare
from .teacher import TeacherModel, Teachers, Teaching
from .tokenizers import require_same_tokens

__all__ = [
    "Distillation",
    "DistillationOptions",
    "TeacherModel",
    "Teachers",
    "Teaching",
    "build",
    "prepare",
    "require_same_tokens",
]
