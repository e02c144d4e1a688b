"""What agents remember: entries, the questions asked of them, and how answers are ranked."""
