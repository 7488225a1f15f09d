from .errors import AtanorError
from .project import Project, ProjectResult

__version__: str

__all__ = ["AtanorError", "Project", "ProjectResult"]
