"""`python -m bench` is `imbench`."""

from bench.cli import main

if __name__ == "__main__":
    main()
