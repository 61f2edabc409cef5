"""The national platforms, one adapter a file, each a speaker (../speaker.py) or an importer."""
