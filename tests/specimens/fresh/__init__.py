"""Programs that no part of the diagnosis was made with: written, measured once, and kept with the figure."""

SILENT = {
    "overlap assigned",
    "the layer's own values for those below",
    "another curve at the output",
    "kernel flipped",
    "gates of candidate and input exchanged",
    "the gradient not squared",
}
"""Mistakes of which nothing is said, or only where they are: for these being silent is right."""
