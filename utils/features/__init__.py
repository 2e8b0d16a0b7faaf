"""From sounds to features, and the distance between them."""
