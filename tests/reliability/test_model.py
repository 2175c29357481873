"""The model with a fixed budget; `make soak` runs it for as long as one likes."""

from hypothesis import HealthCheck, settings

from tests.reliability.model import CacheModel

TestCacheModel = CacheModel.TestCase
TestCacheModel.settings = settings(
    max_examples=100, stateful_step_count=40, suppress_health_check=list(HealthCheck)
)
