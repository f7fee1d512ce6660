"""How well faces are told apart: error rates, classes, advice, charts. No Django."""
