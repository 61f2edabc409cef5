"""The worker that takes lists in beside the web: started by the deliverer, or on its own."""
