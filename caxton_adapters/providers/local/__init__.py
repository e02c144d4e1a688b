"""A model on this machine: weights in a file, served by llama.cpp in a process of ours."""
