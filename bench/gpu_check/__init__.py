"""What a GPU must show, in less than eight minutes: the tests, the CPU's numbers, and the speed of training and sampling.

`./run_all.sh gpu-check` runs it and leaves one folder of results, which is complete up to where it was stopped.
"""
