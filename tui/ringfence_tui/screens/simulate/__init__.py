"""What the policy of the files would do to the flows that were seen."""
