/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker/queue.h"

#include "base/error.h"
#include "publish/destination.h"

WorkerQueue *
worker_queue_new (const WorkerQueueParams *params, GError **error)
{
  static const struct {
    const char *scheme;
    WorkerQueue *(*make) (const WorkerQueueParams *params, GError **error);
  } kinds[] = {
      {"mqtt://", worker_mqtt_queue_new},
      {"mqtts://", worker_mqtt_queue_new},
      {"kafka://", worker_kafka_queue_new},
      {"kafkas://", worker_kafka_queue_new},
  };

  GST_DEBUG_CATEGORY_INIT (publish_debug, "ensembleworker", 0, "jobs from brokers");
  if (!publish_options_check (params->publish, error))
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_str_has_prefix (params->publish->location, kinds[i].scheme))
      return kinds[i].make (params, error);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s: expected mqtt://HOST, mqtts://HOST, kafka://HOST:PORT/TOPIC or kafkas://…",
               params->publish->location);
  return NULL;
}
