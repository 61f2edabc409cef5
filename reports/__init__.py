"""Value in, document out: pure functions from plain values to bytes."""
