"""The scripts behind every published figure, and their committed results."""
