"""One laboratory verb a file. Each takes a Session and the time, and never commits."""
