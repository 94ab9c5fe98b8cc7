"""Marks in the files of learning platforms and CI systems: one module a format, none knows another.

``interface`` is what a format is, also a third party's; ``choosing`` finds formats by name.
"""
