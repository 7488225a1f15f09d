from .candidate import Bench, CandidateDescription, DESCRIPTION, Made, Method
from .framing import Framing
from .options import METHOD_OPTIONS
from .registry import METHODS

__all__ = ["Bench", "CandidateDescription", "DESCRIPTION", "Framing", "METHODS", "METHOD_OPTIONS", "Made", "Method"]
