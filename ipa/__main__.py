"""`python -m ipa` is the `ipa` command."""

import sys

from ipa.commands.command_line import main

if __name__ == "__main__":
    sys.exit(main())
