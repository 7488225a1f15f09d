"""Every method by the name a project file gives it."""

from atanor.methods.candidate import Method
from atanor.methods.lora import Lora
from atanor.methods.prompting import FewShot, Prompt

METHODS: dict[str, Method] = {"lora": Lora(), "prompt": Prompt(), "few_shot": FewShot()}
