"""What a loader really draws, and what is wrong with the way it is wired."""
