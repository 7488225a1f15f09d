"""Every method by the name a project file gives it."""

from atanor.methods import training
from atanor.methods.candidate import Method
from atanor.methods.classification.method import ClassifierMethod
from atanor.methods.prompting import FewShot, Prompt
from atanor.methods.training import Trained

METHODS: dict[str, Method] = {
    "lora": Trained(training.lora),
    "qlora": Trained(training.qlora),
    "full": Trained(training.full),
    "last_layers": Trained(training.last_layers),
    "ia3": Trained(training.ia3),
    "adapter": Trained(training.bottleneck),
    "prefix_tuning": Trained(training.prefix_tuning),
    "prompt_tuning": Trained(training.prompt_tuning),
    "classifier": ClassifierMethod(),
    "prompt": Prompt(),
    "few_shot": FewShot(),
}
