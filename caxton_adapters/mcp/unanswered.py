"""What marks an error as ours: the server did not answer, and may have done what it was asked."""

from typing import Final

UNANSWERED: Final = "caxton/unanswered"
