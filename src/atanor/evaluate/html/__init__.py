"""The report as one HTML page: no network, no library, readable without scripts, printable.

In: a `Report`. Out: the text of a file. Answers are model output and may hold anything, so every text goes through
`markup.tag`, which escapes, and the page's content security policy lets no script run but its own.
"""

from atanor.evaluate.html.page import render_html

__all__ = ["render_html"]
