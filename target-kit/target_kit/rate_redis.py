"""The next start of an account, kept by Redis (5 or newer) or what speaks like it.

One script does each step, by Redis's own TIME, so no two clients can take the same start. The key
goes when nothing was sent for a while; a lost one (restart, eviction) costs a second's wait.
"""

from __future__ import annotations

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from target_kit.errors import ConfigurationError
from target_kit.rate_slots import SlotsLost

TIMEOUT_SECONDS = 5.0

#: Microseconds since 1970 throughout: exact in Lua's numbers. A moment more than five minutes away
#: is no hold (`target_kit.retry` has two at most): it was written before the clock was set back, so
#: it is unknown as well.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local step = tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or '')
local wait = 0
if not due or due > now + 300000000 then due = now + 1000000 end
if ARGV[1] == 'hold' then
  due = math.max(due, now + step)
elseif ARGV[1] == 'delay' then
  due = math.max(due, now) + step
elseif due > now then
  wait = due - now
else
  due = now + step
end
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - now) / 1000) + 60000)
return wait
"""


class RedisSlots:
    """See `target_kit.rate_slots.Slots`."""

    def __init__(self, url: str, account: str) -> None:
        try:
            self._redis = redis.Redis.from_url(
                url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                socket_keepalive=True,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
            self._redis.connection_pool.make_connection()  # reads the URL's options; no network yet
        except (ValueError, TypeError, redis.RedisError):
            raise ConfigurationError("rate_limit_url: is no address of a Redis server") from None
        self._script = self._redis.register_script(_SCRIPT)
        self._key = f"request-rate:{account}"

    def claim(self, interval_seconds: float) -> float:
        """See `Slots`."""
        return self._run("claim", interval_seconds)

    def hold(self, seconds: float) -> None:
        """See `Slots`."""
        self._run("hold", seconds)

    def delay(self, seconds: float) -> None:
        """See `Slots`."""
        self._run("delay", seconds)

    def close(self) -> None:
        """See `Slots`."""
        self._redis.close()

    def _run(self, step: str, seconds: float) -> float:
        """Seconds to wait. The driver's own words would tell host and user (X7)."""
        try:
            found = self._script(keys=[self._key], args=[step, round(seconds * 1e6)])
        except redis.AuthenticationError:
            reason, ours = "authentication failed", True
        except redis.exceptions.NoPermissionError:
            reason, ours = "permission denied", True
        except redis.TimeoutError:
            reason, ours = "Redis does not answer in time", False
        except (redis.ConnectionError, OSError):
            reason, ours = "connection to Redis refused or lost", False
        except redis.RedisError as error:
            reason, ours = f"Redis refuses ({type(error).__name__})", False
        else:
            return int(found) / 1e6
        if ours:
            raise ConfigurationError(f"rate_limit_url: Redis: {reason}")
        raise SlotsLost(reason)
