"""ASTM as sans-I/O: LIS1-A (E1381) frames and LIS2-A2 (E1394) records. Bytes and time come in."""
