"""The version of Caxton, where every part of the distribution reads it without importing much."""

VERSION = "0.8.0"
