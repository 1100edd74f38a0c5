"""`python -m ipa` is the `ipa` command."""

import sys

from ipa.command_line import main

if __name__ == "__main__":
    sys.exit(main())
