"""`ringfence serve`: the application in a browser of this machine, behind a gate of our own."""
