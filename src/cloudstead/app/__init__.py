"""The composition root: the one place that knows all the others, and wires them by hand."""

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """The `cloudstead` command."""
    from cloudstead.app.commands import CloudCommands  # noqa: PLC0415 - importing `app.tables` needs no command line
    from cloudstead.cli import main as run  # noqa: PLC0415

    return run(CloudCommands(), argv)
