"""A strict stand-in for the Z.AI platform, over real HTTP: refuses what the contract refuses, fails on demand."""

from standin import faults, measures, printing
from standin.answers import Call
from standin.chat import Reply
from standin.faults import Fault
from standin.refusals import Refusal
from standin.server import SUPPORT, StandIn

__all__ = ["SUPPORT", "Call", "Fault", "Refusal", "Reply", "StandIn", "faults", "measures", "printing"]
