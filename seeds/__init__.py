"""The sample corpus: data only."""
