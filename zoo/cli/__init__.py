"""The command line: one click group whose verbs are imported when they are called, and one place where errors end."""

import atexit
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click

from zoo import __version__
from zoo.cli.signals import clear_away_when_ended, ended_by
from zoo.errors import ExitCode, ZooError

VERBS = {
    "data": ("zoo.cli.data", "Look whether data can be trusted; make data sets to try zoo on."),
    "init": ("zoo.cli.init", "Propose a spec for a table."),
    "check": ("zoo.cli.spec", "Tell everything that is wrong with a spec."),
    "plan": ("zoo.cli.plan", "Tell what a spec would become: shapes, sizes, memory, downloads."),
    "build": ("zoo.cli.model", "Build a model from a spec, with its pretrained weights."),
    "fetch": ("zoo.cli.model", "Fetch all that a spec needs, to build it without a network."),
    "train": ("zoo.cli.model", "Fine-tune a model as its spec says."),
    "eval": ("zoo.cli.evaluate", "Say how good a model is, and which modality earns it."),
    "cv": ("zoo.cli.cv", "Measure a spec on all of its training rows, fold by fold."),
    "predict": ("zoo.cli.evaluate", "Predict one sample, or every row of a table."),
    "push": ("zoo.cli.share", "Share a run: one commit, proven the same by pulling it back."),
    "pull": ("zoo.cli.share", "Fetch a shared run, the same to the last bit, or tell why not."),
    "verify": ("zoo.cli.share", "Prove that a run is the one that was written."),
    "diff": ("zoo.cli.share", "Tell what two runs differ in, and by how much."),
    "reproduce": ("zoo.cli.reproduce", "Train a shared run again, and compare its scores."),
    "import": ("zoo.cli.bring", "Bring in a model of transformers or timm, from pickles too."),
    "spec": ("zoo.cli.spec", "Render a spec in full, or print the schema of all specs."),
    "list": ("zoo.cli.components", "List components, recipes and pretrained models."),
    "show": ("zoo.cli.components", "Tell all about one of them."),
    "plugins": ("zoo.cli.plugins", "List the installed plugins, find the broken, renew indexes."),
    "doctor": ("zoo.cli.machine", "Look at this machine: libraries, devices, memory, disk, Hub."),
}
"""Each verb's module, and the first line of its help, so that `zoo --help` need not import any."""


class Verbs(click.Group):
    """A group that imports a verb's module when the verb is called, and lets plugins add verbs of their own."""

    def list_commands(self, context: click.Context) -> list[str]:
        """zoo's verbs in the order of the work, then those of plugins."""
        self._add_plugins()
        return [*VERBS, *sorted(self.commands)]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The verb of that name; plugins are asked only when zoo has none."""
        if name in VERBS:
            command: click.Command = getattr(import_module(VERBS[name][0]), f"{name}_command")
            return command
        self._add_plugins()
        return self.commands.get(name)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the verb; a misspelt one is answered with the nearest."""
        from zoo.errors import nearest

        if args and self.get_command(context, args[0]) is None and not args[0].startswith("-"):
            guess = nearest(args[0], self.list_commands(context))
            advice = f"did you mean `zoo {guess}`?" if guess else "`zoo --help` lists the verbs"
            raise click.UsageError(f"zoo has no verb `{args[0]}`; {advice}", context)
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of verbs, without importing them."""
        self.list_commands(context)
        rows = [(name, told) for name, (_, told) in VERBS.items()]
        rows += [(name, _short_help(self.commands[name])) for name in sorted(self.commands)]
        with formatter.section("Verbs"):
            formatter.write_dl(rows)

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        """Adds a plugin's verb.

        Raises:
            ValueError: The name is one of zoo's verbs, or another plugin's.
        """
        name = name or command.name or ""
        if name in VERBS or name in self.commands:
            raise ValueError(f"the verb `{name}` is taken")
        super().add_command(command, name)

    def _add_plugins(self) -> None:
        if not getattr(self, "_asked", False):
            self._asked = True
            from zoo.registry.plugins import installed_plugins

            installed_plugins().add_commands(self, taken=VERBS)


def _short_help(command: click.Command) -> str:
    """The first line of a plugin's verb; a verb that fails even at that is no reason to fail with it."""
    try:
        return command.get_short_help_str()
    except Exception as error:  # the command is a stranger's code
        return f"(its help is broken: {type(error).__name__})"


@click.group(cls=Verbs, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="zoo %(version)s")
@click.option("--debug", is_flag=True, envvar="ZOO_DEBUG", help="Show the traceback of an error.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:
    """Fits pretrained backbones, a fusion and heads into one model, from one YAML spec.

    Every verb that prints facts takes --json; `zoo VERB --help` tells the rest.
    """
    if context.invoked_subcommand is None:
        from zoo.cli.welcome import welcome

        welcome()


def main(arguments: list[str] | None = None) -> NoReturn:
    """Runs the command line and exits. A user's mistake is told in words; `--debug` shows the traceback."""
    _settle_streams()
    stdout = sys.stdout
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words or os.environ.get("ZOO_DEBUG", "") not in ("", "0")
    try:
        rest = [word for word in words if word != "--debug"]
        code = cli.main(["--debug", *rest] if debug else rest, prog_name="zoo", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        code = _without_reader()
    except SystemExit as exit_:
        # click answers a broken pipe with another stdout and an exit; any other exit is a plugin verb's own.
        code = exit_.code if sys.stdout is stdout else _without_reader()
    except (KeyboardInterrupt, click.Abort) as error:
        number = ended_by(error.__cause__ if isinstance(error, click.Abort) else error)  # click made it of the other
        click.echo("interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}", err=True)
        code = 128 + number
    except Exception as error:
        if debug:
            traceback.print_exc()
        code = _tell(error)
    sys.exit(code or 0)


def run() -> NoReturn:
    """The `zoo` command: `main`, and then out at once.

    When all is written, only Python's own tear-down is left, which takes more than a second where torch was imported.
    What libraries want done at the end is done; where a thread is still at work, it is waited for as ever.
    """
    # A thread that waits for another gives its processor away soon. By default torch's spin, and training on a machine
    # where something else runs too was six times slower than on one thread.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    clear_away_when_ended()
    try:
        main()
    except SystemExit as exit_:
        code = exit_.code
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # there is nobody left to tell
            stream.flush()
    os._exit(code if isinstance(code, int) else ExitCode.DEFECT)


def _without_reader() -> int:
    """The reader (`zoo list | head`) has had enough; without the detour Python complains while it shuts down."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return ExitCode.OK


def _settle_streams() -> None:
    """Makes printing possible: into nothing where stdout is closed, with escapes where it cannot show a character."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _tell(error: Exception) -> int:
    """An error in words on stderr, and its exit code. What zoo did not foresee is a defect of zoo."""
    from zoo.cli.output import printable
    from zoo.files import is_full

    if isinstance(error, ZooError):
        told = printable(str(error))
        click.echo(f"error: {told}" if "\n" not in told else told, err=True)
        return error.exit_code
    if isinstance(error, OSError) and is_full(error):
        place = f"`{printable(str(error.filename))}`" if error.filename else "the output"
        click.echo(f"error: {place} cannot be written: {error.strerror}", err=True)
        return ExitCode.USAGE
    click.echo(f"error: zoo did not expect this: {type(error).__name__}: {error}", err=True)
    click.echo("That is a defect of zoo or of a plugin; please report it with the output of --debug.", err=True)
    return ExitCode.DEFECT
