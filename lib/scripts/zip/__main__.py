"""What a zip of the scripts does as a program.

usage: python scripts.zip SCRIPT ARGUMENT...    runs a script, named without `.py`, as if it were a file
"""

import runpy
import sys

del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
