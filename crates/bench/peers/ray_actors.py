"""Ray: an actor, which is a process, for each function; results go from one to the next through Ray's object store."""

import logging
import os
import tempfile

# Nothing is to leave this machine, and nothing but numbers is to be printed.
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_DEDUP_LOGS="0")

import ray

from measurement import arguments, drain, marked, parse, serve, step


@ray.remote(num_cpus=0)
class Function:
    def __init__(self):
        self.marks = []

    def call(self, event):
        return marked(step, event, self.marks)

    def take_marks(self):
        return drain([self.marks])[0]


def main():
    options = parse(arguments(__doc__))
    here = os.path.dirname(os.path.abspath(__file__))
    ray.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        logging_level=logging.ERROR,
        log_to_driver=False,
        object_store_memory=256 << 20,
        # A folder in it would make the paths of sockets too long.
        _temp_dir=tempfile.gettempdir(),
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}},
    )
    functions = [Function.remote() for _ in range(options.functions)]

    def chain(event):
        for function in functions:
            event = function.call.remote(event)
        return ray.get(event)

    serve(options, lambda: chain, lambda: ray.get([function.take_marks.remote() for function in functions]))
    ray.shutdown()


if __name__ == "__main__":
    main()
