"""The parser of the command line, of which each command has one of its own."""

from __future__ import annotations

import argparse
from typing import NoReturn

from ..errors import ArgumentError


class Parser(argparse.ArgumentParser):
    """Reports errors as the commands do."""

    def error(self, message: str) -> NoReturn:
        raise ArgumentError(f"{message} (see {self.prog} --help)")
