"""Findings to words, pages and pictures."""
