"""How often each way in may be tried, for whom: guessing slows down, the owner of an account is never shut out."""

from tenants.catalog.throttles import Counted, Throttle
from tenants.isolation.keys import KeyWrapper

#: One account from one address: after five wrong ones it waits, up to a quarter of an hour.
PAIR = Throttle("sign-in-pair", free=5, forgets=600, longest=900)
#: One account from anywhere: a minute at most, so that who asks patiently gets in even then.
ACCOUNT = Throttle("sign-in-account", free=30, forgets=60, longest=60)
#: One address for any account: an office shares it.
ADDRESS = Throttle("sign-in-address", free=100, forgets=2, longest=60)
#: A device that this account was signed in on before has tries of its own.
DEVICE = Throttle("sign-in-device", free=10, forgets=300, longest=300)
SECOND_FACTOR = Throttle("second-factor", free=10, forgets=300, longest=300)
PASSKEY = Throttle("passkey", free=60, forgets=5, longest=60)
CONFIRMATION = Throttle("confirmation", free=10, forgets=120, longest=300)
RESET = Throttle("password-reset", free=3, forgets=1200, longest=3600)
RESET_ADDRESS = Throttle("password-reset-address", free=20, forgets=60, longest=300)
REDEMPTION = Throttle("redemption-address", free=60, forgets=5, longest=60)
REMINDER = Throttle("workspace-reminder", free=3, forgets=3600, longest=7200)
VERIFICATION = Throttle("email-verification", free=5, forgets=1200, longest=3600)


def counted(wrapper: KeyWrapper, throttle: Throttle, *who: object) -> Counted:
    """A try by or for somebody. Only a keyed hash of who it is gets written down."""
    return Counted(throttle, wrapper.hashed("\0".join([throttle.name, *map(str, who)]), "throttle"))
