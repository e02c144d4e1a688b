"""What the exit code of every command means."""

DONE = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
INVALID = 4
REFUSED = 5
CANNOT_START = 6
INTERRUPTED = 130

MEANINGS = {
    DONE: "done",
    FAILED: "failed",
    USAGE: "wrong usage",
    NOT_RUNNING: "the server is not running, or cannot be reached",
    INVALID: "invalid input; the problems are printed",
    REFUSED: "refused: permission, policy or authentication",
    CANNOT_START: "cannot start: port in use, data directory locked, storage unusable",
    INTERRUPTED: "interrupted",
}
