"""A language model as a judge, behind any OpenAI-compatible endpoint, and how far people agree with it.

In: requests with one answer, or with two, and a rubric. Out: scores and preferences, each asked once and remembered by
what was asked; or why there is none.
"""
