"""What is wrong in the files and the inventory, and where."""
