"""Implementations of `core.ports`: the only modules that know SQS, SSM, S3 or HTTP."""
