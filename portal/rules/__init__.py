"""What the farm allows and computes: plain Python on plain values.

No Flask, no database, no clock, no I/O.
"""
