"""Programs that no part of the diagnosis was made with: written, measured once, and kept with the figure."""
