# Says what this interpreter is, as one line of JSON. Has to run on any Python that may lie around, 2.7 included.
import json
import sys
import sysconfig

try:
    from importlib.util import find_spec

    has_pip = find_spec("pip") is not None
except Exception:
    has_pip = False

variable = sysconfig.get_config_var
print(json.dumps({
    "implementation": getattr(getattr(sys, "implementation", None), "name", "unknown"),
    "version": list(sys.version_info[:3]),
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base_prefix": getattr(sys, "base_prefix", sys.prefix),
    # "-c" puts the working directory first.
    "path": sys.path[1:],
    "shared": bool(variable("Py_ENABLE_SHARED")),
    "library_names": [name for name in (variable("INSTSONAME"), variable("LDLIBRARY")) if name],
    "library_folder": variable("LIBDIR"),
    "build_folder": variable("LIBPL"),
    "multiarch": variable("MULTIARCH"),
    "free_threaded": bool(variable("Py_GIL_DISABLED")),
    "platform": sysconfig.get_platform(),
    "has_pip": has_pip,
}))
