"""Imports what the functions are to import, and prints which of it does not come with Python."""

import importlib
import json
import sys

for name in sys.argv[1:]:
    importlib.import_module(name)
json.dump([name for name in sys.argv[1:] if name.partition(".")[0] not in sys.stdlib_module_names], sys.stdout)
print()
