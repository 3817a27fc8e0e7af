"""What hosts enforce beside what their plan says."""
