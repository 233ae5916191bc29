/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "worker/submit.h"

gboolean
worker_submit (const PublishOptions *publish, GPtrArray *jobs, const EnsMonitor *monitor,
               GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: this build hands out no jobs by MQTT; install libmosquitto-dev and build with "
               "-Dmqtt=enabled",
               publish->location);
  return FALSE;
}
