"""Corpora and generated samples: they know files and licences, and nothing of Keras.

Each corpus is a module with `load(data_dir, cache_dir) -> Corpus`. Importing this package imports no
TensorFlow; the builders of single corpora, such as `seqloom.datasets.atis`, import it themselves.
"""
