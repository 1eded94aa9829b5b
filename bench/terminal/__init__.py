"""What commands print on the terminal."""
