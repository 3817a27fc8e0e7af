"""What is known of one enforcer each, a folder an enforcer: how it lists what it holds, read back strictly."""
