"""One attempt at one application, from its revision to its reported outcome."""
