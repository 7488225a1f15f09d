"""`python -m atanor` is the `atanor` program."""

from atanor.cli import main

# Processes of the workshop import this module under another name.
if __name__ == "__main__":
    main()
