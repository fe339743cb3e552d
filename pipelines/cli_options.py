"""What every command has: the common options, and one place where errors are told."""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import is_told
from .logs import FORMATS, Level, Log, LogFormat

if TYPE_CHECKING:
    from .config import Settings

LOG_FORMAT_VARIABLE = "PIPEDUCK_LOG_FORMAT"


class Context:
    """What the options common to all commands say."""

    config: Path | None = None
    is_debug: bool = False

    def __init__(self) -> None:
        self.log = Log()

    def settings(self) -> Settings:
        """The settings of this call."""
        from .config import load_settings

        return load_settings(self.config)

    def take(
        self,
        config: Path | None,
        log_format: LogFormat | None,
        least: Level | None,
        *,
        is_debug: bool,
    ) -> None:
        """Options given before the command or after it; what is not given stays."""
        self.log.least = least or self.log.least
        self.config = config or self.config
        self.is_debug = is_debug or self.is_debug
        self.log.form = log_format or self.log.form


def common_options(function: Callable[..., Any], variable: str | None = None) -> Callable[..., Any]:
    """The options that stand before a command or after it. `variable` is that of `--log-format`."""
    options = (
        click.option(
            "--config", type=click.Path(path_type=Path), metavar="FILE", help="Another config.toml."
        ),
        click.option("--debug", is_flag=True, help="Show a traceback when something goes wrong."),
        click.option(
            "--log-format",
            type=click.Choice(FORMATS),
            envvar=variable,
            show_envvar=variable is not None,
            help="What stderr gets: lines for people, or JSON.",
        ),
        click.option(
            "-q",
            "--quiet",
            "least",
            flag_value="warning",
            help="Only warnings and errors on stderr.",
        ),
        click.option("-v", "--verbose", "least", flag_value="debug", help="Every request, too."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def command(function: Callable[..., None]) -> Callable[..., None]:
    """The common options, also after the name of a command, and errors told as sentences."""

    @common_options
    @click.pass_context
    def wrapped(
        click_context: click.Context,
        /,
        config: Path | None,
        debug: bool,
        log_format: LogFormat | None,
        least: Level | None,
        **kw: Any,
    ) -> None:
        context = click_context.ensure_object(Context)
        context.take(config, log_format, least, is_debug=debug)
        try:
            function(context, **kw)
        except (KeyboardInterrupt, click.Abort):
            if context.log.form == "text":
                raise
            context.log.write("Stopped by Ctrl-C.", "error", "error", exit_code=130)
            sys.exit(130)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except BrokenPipeError:
            sys.stderr.close()  # the reader of stdout has gone: nothing to tell
            sys.exit(0)
        except Exception as error:  # the one place where errors are told
            sys.exit(tell(error, context.log, is_debug=context.is_debug))

    return functools.update_wrapper(wrapped, function)


def tell(error: Exception, log: Log, *, is_debug: bool) -> int:
    """Say on stderr what is wrong and what to do; returns the exit code."""
    if is_told(error):
        message, hint, exit_code = error.message, error.hint, error.exit_code
    else:
        message = f"{type(error).__name__}: {error}"
        hint, exit_code = "This was not expected. --debug shows where it happened.", 1
    if log.form == "json":
        trace = {"traceback": "".join(traceback.format_exception(error))} if is_debug else {}
        kind = type(error).__name__
        log.write(message, "error", "error", kind=kind, hint=hint, exit_code=exit_code, **trace)
        return exit_code
    if is_debug:
        traceback.print_exception(error)
    log.write(f"Error: {message}", level="error")
    if hint:
        log.write(hint, level="error")
    return exit_code
