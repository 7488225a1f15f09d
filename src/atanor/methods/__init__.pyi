from .candidate import DESCRIPTION, Bench, CandidateDescription, Made, Method, TrainingOrigin
from .framing import Framing
from .options import METHOD_OPTIONS
from .probing import Probed, probe
from .registry import METHODS

__all__ = [
    "DESCRIPTION",
    "METHODS",
    "METHOD_OPTIONS",
    "Bench",
    "CandidateDescription",
    "Framing",
    "Made",
    "Method",
    "Probed",
    "TrainingOrigin",
    "probe",
]
