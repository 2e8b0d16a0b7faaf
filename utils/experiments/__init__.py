"""The studies behind the chapters, and what they cost."""
