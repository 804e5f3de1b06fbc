"""How well patients are understood: lines written by a hand that saw no training data, and what the model makes of them."""
