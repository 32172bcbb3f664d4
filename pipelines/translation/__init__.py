"""Translation: a sentence of one language to a sentence of another."""
