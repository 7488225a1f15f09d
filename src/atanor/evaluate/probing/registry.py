"""Every probe and what makes it from its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from atanor.evaluate.probing.bias import build_pronouns, build_stereotypes, build_swaps
from atanor.evaluate.probing.canaries import build_canaries
from atanor.evaluate.probing.memorising import build_memorisation
from atanor.evaluate.probing.probe import Ground, Probe
from atanor.evaluate.probing.safety import build_refusals, build_toxicity

PROBES: dict[str, Callable[[Any, Ground], list[Probe]]] = {
    "memorisation": build_memorisation,
    "canaries": build_canaries,
    "stereotypes": build_stereotypes,
    "pronouns": build_pronouns,
    "swaps": build_swaps,
    "refusals": build_refusals,
    "toxicity": build_toxicity,
}
"""By the names of `options.PROBE_OPTIONS`; a builder gives no probe where there is nothing to ask about."""
