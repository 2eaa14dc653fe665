def lambda_handler(event, context):
    return __name__
