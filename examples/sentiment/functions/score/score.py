"""Scores a text by VADER's lexicon of 7,500 words: `compound` from -1, most negative, to 1."""

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

analyzer = SentimentIntensityAnalyzer()


def main(event):
    return analyzer.polarity_scores(event["text"])
