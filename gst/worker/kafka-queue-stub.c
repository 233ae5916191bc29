/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "worker/queue.h"

WorkerQueue *
worker_kafka_queue_new (const WorkerQueueParams *params, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: this build takes no jobs from Kafka; install librdkafka-dev and build with "
               "-Dkafka=enabled",
               params->publish->location);
  return NULL;
}
