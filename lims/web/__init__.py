"""The HTML door for technicians, reviewers, tracers and operators."""
