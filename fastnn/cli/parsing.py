"""A parser of command lines that suggests the nearest option or command for a mistake."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from ..errors import ArgumentError


class Parser(argparse.ArgumentParser):
    """Parse command lines; raise `ArgumentError` where argparse would print a usage and exit.

    Attributes
    ----------
    commands : sequence of str
        Names that the first word may have; empty for a parser without commands.
    """

    commands: Sequence[str] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Check options and commands, then parse."""
        self._check_words(args or ())
        return super().parse_known_args(args, namespace)

    def _check_words(self, words: Sequence[str]) -> None:
        """Raise an error for unknown options and commands before argparse reports missing ones."""
        known = self._option_string_actions
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            if name.startswith("--") and name not in known:
                self.error(f"unknown option {name}{_near(name, known)}")
            if self.commands and not word.startswith("-"):
                if word not in self.commands:
                    names = ", ".join(self.commands)
                    near = _near(word, self.commands)
                    self.error(f"invalid choice: {word!r}{near or f': expected one of {names}'}")
                return  # what follows is the command's

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print the help; unlike argparse, raise the errors of standard output."""
        (file or sys.stderr).write(message)

    def error(self, message: str) -> NoReturn:
        """Raise `ArgumentError` with a hint."""
        if "expected one argument" in message:
            option = message.removeprefix("argument ").partition(":")[0]
            message += f'; a value that begins with "-" is written {option}=VALUE'
        raise ArgumentError(f"{message} (see {self.prog} --help)")


def _near(word: str, known: Iterable[str]) -> str:
    """Return the suggestion of the nearest known word, or nothing."""
    near = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return f": did you mean {near[0]}?" if near else ""
