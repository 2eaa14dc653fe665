def main(event):
    return "first"
