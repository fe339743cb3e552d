"""When runs happen: ticks, the loop that runs at each, and files for other schedulers.

What a run does is none of its business: each is a `pipeduck run` in a process of its own.
"""
