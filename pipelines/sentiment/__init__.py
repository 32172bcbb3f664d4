"""Sentiment: a label for a whole text, such as whether a review praises or complains."""
