"""The demonstration: the whole loop on the lab's hosts, with a proof by real connections."""
