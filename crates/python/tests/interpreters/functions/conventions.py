"""One handler for each way in which one can be written."""

import functools


def has_context(context):
    return context is not None and context.aws_request_id


def both(event, context):
    return [event, has_context(context)]


def optional_context(event, context=None):
    return [event, has_context(context)]


def anything(*arguments):
    return [arguments[0], has_context(arguments[1]), len(arguments)]


def only(event):
    return [event]


def only_and_keyword(event, *, flag=1):
    return [event, flag]


class Methods:
    def __call__(self, event, context):
        return [event, has_context(context)]

    def one(self, event):
        return [event]

    def two(self, event, context):
        return [event, has_context(context)]

    @staticmethod
    def static(event):
        return [event]

    @classmethod
    def of_class(cls, event):
        return [event]


class OneCall:
    def __call__(self, event):
        return [event]


methods = Methods()
one = methods.one
two = methods.two
static = methods.static
of_class = Methods.of_class
one_call = OneCall()
partial_one = functools.partial(both, 5)
partial_keyword = functools.partial(optional_context, context=None)
partial_two = functools.partial(anything)


def decorate(function):
    @functools.wraps(function)
    def wrapper(event, context):
        return ["wrapped", has_context(context), function(event)]

    return wrapper


@decorate
def decorated(event):
    return event


built_in = isinstance


def context(event, context):
    names = "aws_request_id function_name function_version invoked_function_arn memory_limit_in_mb log_group_name"
    shown = {name: getattr(context, name) for name in names.split()}
    context.mine = 1
    shown["remaining"] = context.get_remaining_time_in_millis()
    shown["identity"] = [context.identity, context.client_context]
    shown["type"] = [type(context).__name__, repr(context).startswith("LambdaContext([aws_request_id=")]
    shown["stream"] = context.log_stream_name[10:21]
    return shown
