"""A fresh process that imports what the function imports, and calls it once."""

import json

from function import handler

print(json.dumps(handler({}, None)))
