"""What pooling costs and finds, measured on the code that decides in the laboratory."""
