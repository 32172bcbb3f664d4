"""Slot filling: a label for every word of a sentence, and an intent for the sentence."""
