from .launcher import LAUNCHERS, Launcher, Submitted, launch
from .options import LaunchKind, LaunchOptions
from .specification import Specification

__all__ = ["LAUNCHERS", "LaunchKind", "LaunchOptions", "Launcher", "Specification", "Submitted", "launch"]
