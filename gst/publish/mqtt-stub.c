/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "publish/destination.h"

PublishDestination *
publish_mqtt_new (const PublishOptions *options, GError **error)
{
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED,
               "%s: this build sends nothing to MQTT; install libmosquitto-dev and build with "
               "-Dmqtt=enabled",
               options->location);
  return NULL;
}
