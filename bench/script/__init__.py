"""The program that a user takes home: it trains, saves and uses what a comparison chose, without this package's harness."""
