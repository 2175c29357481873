"""The operators' command line: `python -m tools.admin --help` is its manual.

It makes calls that anybody with the rights can make with the stock `aws` CLI, and keeps nothing:
each answer is new, or there is an error.

    __main__, arguments         the command line, its manual, and which function does what
    status, rebuilds, letters,
    versions, publish, schedule,
    logs                        the commands
    datasets, entries, hand_made    what they are about
    target, aws_errors          which stack is meant, and what AWS's refusals mean
    stack, bucket, log_groups   the calls to AWS
    output, words               tables, sentences and JSON
"""
