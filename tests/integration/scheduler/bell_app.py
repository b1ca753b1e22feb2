"""A Celery application with nothing but a broker: what a beat process is started with in these tests."""

import os

from celery import Celery

app = Celery("bells", broker=os.environ["BELLS_BROKER"])
app.conf.update(
    task_create_missing_queues=False,
    task_default_queue="control",
    broker_connection_retry_on_startup=True,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 3},
)
