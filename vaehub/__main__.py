"""`python -m vaehub` and the `vaehub` command."""

import signal
import sys

from vaehub.signals import STOPPING, Interrupted, listening


def main() -> int:
    """Run the command line, which takes a moment to import: Ctrl-C and SIGTERM end it in one line from the first moment on."""
    try:
        with listening():
            from vaehub.cli.app import main as run

            return run()
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return stop.exit_code
    finally:
        for number in STOPPING:  # all is done: what still comes ends the process at once, without Python's traceback
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
