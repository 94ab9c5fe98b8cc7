"""What the commands of ``symmetry`` do: they parse, call, and print. ``graders.cli`` lists them."""
