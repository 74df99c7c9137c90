"""The contract between the side that writes and the side that reads."""
