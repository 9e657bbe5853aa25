"""What the scripts that compose Chinese samples share, and their sentences."""
