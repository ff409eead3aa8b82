"""placeholder until the merge of branch reference"""
import sys

from reedbase_backup.serve import load, serve


def main() -> int:
    serve(load(sys.argv[2] if len(sys.argv)>2 else "python"))
    return 0
