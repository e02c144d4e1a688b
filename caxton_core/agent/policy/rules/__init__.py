"""The rules of a policy, one module for each subject."""
