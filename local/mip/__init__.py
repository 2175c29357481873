"""MIP Cloud's stand-in: one session per user, a sample organisation, faults on demand.

`MipCloud` is the service without HTTP, and `MipCloudServer` serves one on 127.0.0.1.
"""

from local.mip.calls import CALLS, balances_body
from local.mip.faults import KINDS, Fault
from local.mip.sample.organisation import ORGANISATION
from local.mip.server import MipCloudServer
from local.mip.service import PASSWORD, USER, Counters, Credentials, MipCloud

__all__ = [
    "CALLS",
    "KINDS",
    "ORGANISATION",
    "PASSWORD",
    "USER",
    "Counters",
    "Credentials",
    "Fault",
    "MipCloud",
    "MipCloudServer",
    "balances_body",
]
