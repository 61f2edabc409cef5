"""One change a file, numbered from 0001; never edited once released."""
