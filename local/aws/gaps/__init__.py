"""What moto's CloudFormation cannot do, a file each.

For each of them a probe in `tests/local/aws/test_gaps.py` shows that moto still cannot. When moto
learns it, the probe fails, and the file here can go.
"""
