"""Measure whether answers are true, and whether they stay true."""
