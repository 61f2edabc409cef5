"""Lists as people keep them (CSV, XLSX): read, understood column by column, and written back.

It knows no web, no database and no clock: bytes and moments are handed in.
"""
