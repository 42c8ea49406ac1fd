"""`python -m tap_optimizely` is the console script."""

from tap_optimizely.tap import main

if __name__ == "__main__":
    main()
