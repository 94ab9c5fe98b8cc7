"""One file per fact that can be checked about a submission."""
