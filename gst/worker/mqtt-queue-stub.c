/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "worker/queue.h"

WorkerQueue *
worker_mqtt_queue_new (const WorkerQueueParams *params, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: this build takes no jobs by MQTT; install libmosquitto-dev and build with "
               "-Dmqtt=enabled",
               params->publish->location);
  return NULL;
}
