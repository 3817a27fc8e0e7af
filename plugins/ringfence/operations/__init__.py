"""What a person can do with a workspace, a file each: a function of an estate and options that returns a result."""
