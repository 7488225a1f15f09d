"""Likelihoods of choices by lm-eval's own Hugging Face backend; runs where `lm_eval` is installed.

    python lm_eval_choices.py REQUESTS.json MODEL_FOLDER BATCH RESULT.json

REQUESTS is a list of [context, continuation]; the result has each log-likelihood in nats and the seconds that
`HFLM.loglikelihood` took, of the clock and of the processor.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM


def main() -> None:
    requests, folder, batch, result = sys.argv[1:]
    pairs = json.loads(Path(requests).read_text(encoding="utf-8"))
    model = HFLM(pretrained=folder, batch_size=int(batch), device="cpu", dtype="float32")
    instances = [
        Instance(request_type="loglikelihood", doc={}, arguments=tuple(pair), idx=number)
        for number, pair in enumerate(pairs)
    ]
    clock, processor = time.perf_counter(), time.process_time()
    found = model.loglikelihood(instances, disable_tqdm=True)
    told = {
        "seconds": time.perf_counter() - clock,
        "processor_seconds": time.process_time() - processor,
        "threads": torch.get_num_threads(),
        "likelihoods": [likelihood for likelihood, _ in found],
    }
    Path(result).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main()
