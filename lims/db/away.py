"""What says that the database cannot be had at this moment: whoever can, tries again later."""

from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

DATABASE_AWAY: Final = (OperationalError, InterfaceError, PoolExhausted)
