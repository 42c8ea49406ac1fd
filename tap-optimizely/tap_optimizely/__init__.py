"""Singer tap for Optimizely Campaign."""
