"""`zoo data check`: what is wrong with the tables of a spec, and what is suspect."""
