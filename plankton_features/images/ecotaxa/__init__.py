"""EcoTaxa's tables: how they are written, what they may hold, and what is wrong with them."""
