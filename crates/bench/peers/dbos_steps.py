"""DBOS: a durable workflow whose functions are steps. The result of each is in its database, here SQLite, before the next begins."""

import tempfile

from dbos import DBOS, DBOSConfig

from measurement import arguments, drain, marked, parse, serve, step


def main():
    options = parse(arguments(__doc__))
    marks = [[] for _ in range(options.functions)]
    with tempfile.TemporaryDirectory(prefix="dbos-") as folder:
        config: DBOSConfig = {
            "name": "bench",
            "system_database_url": f"sqlite:///{folder}/system.sqlite",
            "log_level": "ERROR",
            "run_admin_server": False,
        }
        DBOS(config=config)

        @DBOS.step()
        def function(number, event):
            return marked(step, event, marks[number])

        @DBOS.workflow()
        def chain(event):
            for number in range(options.functions):
                event = function(number, event)
            return event

        DBOS.launch()
        serve(options, lambda: chain, lambda: drain(marks))
        DBOS.destroy()


if __name__ == "__main__":
    main()
