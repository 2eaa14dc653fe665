LIMIT = 1


def limit():
    return {}["limit"]


limit()
