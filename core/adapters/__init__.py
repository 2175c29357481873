"""Implementations of `core.ports`: the only modules that know boto3, SQS, SSM, S3 or HTTP."""
