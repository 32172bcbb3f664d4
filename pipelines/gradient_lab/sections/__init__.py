"""The sections of the laboratory, one file each."""
