"""The prompt of `pipeduck shell`: many lines, colours, completion and a history in a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.output import Output
from pygments.lexers.sql import SqlLexer

from .shell import COMMANDS, is_complete

HISTORY_VARIABLE = "PIPEDUCK_HISTORY"

_PROMPT = "pipeduck> "
_CONTINUED = "     ...> "
_WORD = re.compile(r"[\w.]*$")
_TABLE_NEXT = re.compile(r"(?:\b(?:from|join|describe|summarize)|^\.columns)\s+\w*$", re.IGNORECASE)
_ALIAS = re.compile(r"\b(?:from|join|,)\s+(\w+)(?:\s+as)?\s+(\w+)", re.IGNORECASE)


class SqlCompleter(Completer):
    """Tables after `from`, columns of the tables that are named, SQL's words, dot commands."""

    def __init__(self, names: Mapping[str, Sequence[str]], keywords: Sequence[str]) -> None:
        self._names = names
        self._keywords = keywords

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002 - prompt_toolkit passes it by name
    ) -> Iterator[Completion]:
        """What may stand at the cursor, and begins as what is there."""
        before = document.text_before_cursor
        found = _WORD.search(before)
        word = found[0] if found else ""
        owner, dot, part = word.rpartition(".")
        if before.lstrip() == word and word.startswith("."):
            yield from _matching(word, [command.split()[0] for command in COMMANDS])
        elif dot:
            yield from _matching(part, self._columns_of(owner, document.text))
        elif _TABLE_NEXT.search(before):
            yield from _matching(word, self._names)
        elif word:
            yield from _matching(word, self._candidates(document.text))

    def _columns_of(self, owner: str, text: str) -> Sequence[str]:
        aliases = {alias.lower(): table for table, alias in _ALIAS.findall(text)}
        return self._names.get(aliases.get(owner.lower(), owner).lower(), ())

    def _candidates(self, text: str) -> list[str]:
        words = set(re.findall(r"\w+", text.lower()))
        named = [columns for table, columns in self._names.items() if table in words]
        columns = [column for of_table in named for column in of_table]
        return list(dict.fromkeys([*columns, *self._names, *self._keywords]))


def prompted(
    names: Mapping[str, Sequence[str]],
    keywords: Sequence[str],
    *,
    history: Path | None = None,
    terminal: tuple[Input, Output] | None = None,
) -> Iterator[str]:
    """What a person types, one statement or command at a time, until Ctrl-D.

    Enter ends what is complete and begins a line elsewhere; Ctrl-C throws away what was typed.
    `history` is the file, by default `history_file()`; `terminal` another one than this process's.
    """
    given, shown = terminal or (None, None)
    session: PromptSession[str] = PromptSession(
        _PROMPT,
        multiline=True,
        prompt_continuation=lambda *_: _CONTINUED,
        lexer=None if "NO_COLOR" in os.environ else PygmentsLexer(SqlLexer),
        completer=SqlCompleter(names, keywords),
        history=_open_history(history or history_file()),
        key_bindings=_bindings(),
        input=given,
        output=shown,
    )
    while True:
        try:
            yield session.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return


def history_file() -> Path | None:
    """`$PIPEDUCK_HISTORY`, none where that is empty, else `shell_history` in the state folder."""
    given = os.environ.get(HISTORY_VARIABLE)
    if given is not None:
        return Path(given).expanduser() if given else None
    state = os.environ.get("XDG_STATE_HOME", "") or "~/.local/state"
    return Path(state).expanduser() / "pipeduck" / "shell_history"


def _open_history(file: Path | None) -> History:
    """The history in `file`, for its owner only; in memory where that cannot be written."""
    if file is not None:
        with suppress(OSError, RuntimeError):  # no home, or a file system for reading
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
            file.chmod(0o600)
            return FileHistory(str(file))
    return InMemoryHistory()


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n")

    return bindings


def _matching(word: str, names: Iterable[Any]) -> Iterator[Completion]:
    for name in names:
        if name.lower().startswith(word.lower()):
            yield Completion(name, start_position=-len(word))
