"""The data set that comes with zoo: a digit as a handwritten picture, as a text and as a sound."""
