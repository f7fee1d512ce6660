"""What the floor of people does by the clock."""

from accounts import queue

queue.every(5, "accounts.lockout.forget")
