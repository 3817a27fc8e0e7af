"""The talk with one host: the script that runs there, the orders it gets, and its answers as checked data."""
