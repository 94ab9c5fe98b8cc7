"""Students' code, locked in: what it may touch, and what this machine can really keep from it."""
