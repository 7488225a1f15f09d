"""What every HTML page is built of: safe markup, scales, axes, histograms, bars, numbers for readers, the look.

In: texts and numbers. Out: `Markup`, and the frame of a page that loads nothing from anywhere.
"""

from atanor.page.frame import framed
from atanor.page.markup import Content, Markup, join, tag

__all__ = ["Content", "Markup", "framed", "join", "tag"]
