"""What the hand-off bears: a mountain owed, a burst beside a dead office, `kill -9` at any time."""
