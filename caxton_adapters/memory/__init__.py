"""What agents remember: where it is stored, the tools that use it, and recall without tools."""
