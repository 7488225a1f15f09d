from .classification import classify
from .generation import Answer, Decoding, generate_answers, stream_answer
from .scoring import score_choices, score_rows

__all__ = ["Answer", "Decoding", "classify", "generate_answers", "score_choices", "score_rows", "stream_answer"]
