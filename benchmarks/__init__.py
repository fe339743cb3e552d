"""Speed and memory, measured on this machine against a sandbox in another process.

Prints, asserts nothing. Seconds are of CPU, so that a busy neighbour does not count.
"""
