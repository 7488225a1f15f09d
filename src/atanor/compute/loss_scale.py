"""What a loss is multiplied by before its gradient is taken.

Gradients of float16 vanish below 6e-8. A loss that is multiplied by a large power of two has gradients in range, and
dividing them afterwards is exact (Micikevicius et al. 2018, arXiv:1710.03740). Whoever sets `value` divides.
"""

from __future__ import annotations

from torch import Tensor


class LossScale:
    """A factor that everything which takes a gradient within an engine agrees on.

    Attributes:
        value: the factor, a power of two; 1 changes nothing.
    """

    def __init__(self) -> None:
        self.value = 1.0

    def of(self, loss: Tensor) -> Tensor:
        """The loss to take the gradient of."""
        return loss if self.value == 1 else loss * self.value

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of the scaled loss to the parameters'."""
        self.of(loss).backward()  # type: ignore[no-untyped-call]
