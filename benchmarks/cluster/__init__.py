"""What a cluster gives, and where the one who hands out the work becomes the limit."""
