"""The loop that makes the world match what is wanted."""
