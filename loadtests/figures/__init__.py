"""One measured figure a file, each as a ratio to a limit taken in the same run."""
