"""Everything that touches an analyser. Installs alone on the box beside it; never imports lims."""
