"""`python -m tap_backoffice` is the console script."""

from tap_backoffice.tap import main

if __name__ == "__main__":
    main()
