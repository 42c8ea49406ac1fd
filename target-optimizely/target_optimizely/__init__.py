"""Singer target for Optimizely Campaign."""
