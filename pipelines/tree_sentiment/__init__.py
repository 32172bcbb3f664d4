"""Tree sentiment: a class for every phrase of a parse tree."""
