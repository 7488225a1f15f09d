from .api import Project, ProjectResult
from .checking import check_project
from .events import BaseReady, DataReady, Event, RunJudged, RunPlanned, Unwatched, Watcher
from .explain import ExplainedValue, explain
from .file import LoadedProject, load_project_file
from .options import MethodChoice, ProjectFile, RoleOptions, Task
from .reference import reference_markdown
from .scaffold import TEMPLATES, init_project
from .schema import project_schema

__all__ = [
    "TEMPLATES",
    "BaseReady",
    "DataReady",
    "Event",
    "ExplainedValue",
    "LoadedProject",
    "MethodChoice",
    "Project",
    "ProjectFile",
    "ProjectResult",
    "RoleOptions",
    "RunJudged",
    "RunPlanned",
    "Task",
    "Unwatched",
    "Watcher",
    "check_project",
    "explain",
    "init_project",
    "load_project_file",
    "project_schema",
    "reference_markdown",
]
