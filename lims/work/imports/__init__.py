"""Lists of up to 100,000 swabs: taken in, understood, registered chunk by chunk, taken back."""
