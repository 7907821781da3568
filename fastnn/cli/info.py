"""``fastnn info``: version, instruction set, threads and back ends on this machine."""

from __future__ import annotations

import argparse
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the parser of ``fastnn info``."""
    parser = commands.add_parser(
        "info",
        help="show version, instruction set, threads and back ends",
        description="Show version, instruction set in use and available, threads, OpenMP runtime "
        "and kernel back ends.",
        epilog="example: fastnn info",
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the configuration."""
    from ..runtime.build_info import show_config

    show_config()
