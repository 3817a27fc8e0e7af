"""The first run, without a workspace: an inventory that is there, a new workspace, or the demo lab."""
