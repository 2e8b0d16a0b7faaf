"""From features to parameters."""
