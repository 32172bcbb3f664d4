"""The recordings that can be searched, on disk."""
