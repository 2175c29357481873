"""What `make bench` measures, always as a ratio to a baseline of the same run.

`rows.py` lists the rows with their targets. Each family of rows is measured in a process of its
own, so that nothing else that was imported, cached or frozen there weighs on it:

    cold_start.py        the reader's start against the bare SDK's
    hits.py              the handler's answers against a bare GetObject
    requests_per_hit.py  how many requests those cost
    transform.py         how the program lists' making grows with the chart
    service.py           the local stack: MIP round trips, a stampede, memory
    artifact.py          the size of what is deployed

`harness.py` interleaves and sums up; `processes.py` starts those processes, and ends them.
"""
