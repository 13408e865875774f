"""Train the network itself."""
