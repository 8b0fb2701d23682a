"""The command line: thin, quick to start, and a client like any other where the cloud already runs."""

from cloudstead.cli.commands import Commands
from cloudstead.cli.main import main

__all__ = ["Commands", "main"]
