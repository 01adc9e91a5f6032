"""Fit weights and thresholds on development questions, and print the table of tries."""
