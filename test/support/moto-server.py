"""Moto's S3 on loopback, filled with the files below a folder: moto-server.py <folder> <bucket>. Prints its port, and ends with its standard input."""

import logging
import os
import sys

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

folder, bucket = sys.argv[1:]
logging.getLogger("werkzeug").setLevel(logging.ERROR)
backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
backend.create_bucket(bucket, "us-east-1")
for parent, _, names in os.walk(folder):
    for name in names:
        path = os.path.join(parent, name)
        with open(path, "rb") as file:
            backend.put_object(bucket, os.path.relpath(path, folder), file.read(), disable_notification=True)
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
