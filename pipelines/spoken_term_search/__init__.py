"""Spoken term search: where in recordings a spoken word occurs."""
