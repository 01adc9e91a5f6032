"""What Groundwire knows and how to find it: articles, passages, vectors, words."""
