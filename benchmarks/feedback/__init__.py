"""What feedback costs."""
