def main(event):
    return "second"
