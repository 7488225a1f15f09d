"""`python -m atanor` is the `atanor` program."""

from atanor.cli import main

main()
