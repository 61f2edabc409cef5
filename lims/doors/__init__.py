"""What both doors share: refusals to statuses, and request bodies parsed once into values."""
