/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/kafka-settings.h"

#include <string.h>

#include "base/error.h"
#include "publish/address.h"
#include "publish/destination.h"
#include "publish/secret.h"

#define GST_CAT_DEFAULT publish_debug

gboolean
publish_kafka_address_parse (const PublishOptions *options, PublishKafkaAddress *address,
                             GError **error)
{
  const char *start = strstr (options->location, "://") + 3, *slash = strchr (start, '/');
  g_autofree char *authority =
      g_strndup (start, slash != NULL ? (gsize)(slash - start) : strlen (start));
  char *at = strrchr (authority, '@');

  if (at != NULL && memchr (authority, ':', (gsize)(at - authority)) != NULL)
    return publish_address_check ("kafka://user:password@host", error);
  if (slash == NULL || slash[1] == '\0' || strchr (slash + 1, '/') != NULL || slash == start) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                 "%s: expected kafka://HOST:PORT,HOST:PORT/TOPIC", options->location);
    return FALSE;
  }
  address->tls = g_str_has_prefix (options->location, "kafkas");
  address->topic = g_strdup (slash + 1);
  address->brokers = g_strdup (at != NULL ? at + 1 : authority);
  address->user =
      at != NULL ? g_strndup (authority, (gsize)(at - authority)) : g_strdup (options->user);
  return TRUE;
}

void
publish_kafka_address_clear (PublishKafkaAddress *address)
{
  g_free (address->brokers);
  g_free (address->topic);
  g_free (address->user);
}

/* Only libraries built without a feature refuse these. */
gboolean
publish_kafka_set (const PublishOptions *options, rd_kafka_conf_t *conf, const char *name,
                   const char *value, GError **error)
{
  char text[256];

  if (value == NULL || rd_kafka_conf_set (conf, name, value, text, sizeof text) == RD_KAFKA_CONF_OK)
    return TRUE;
  /* librdkafka's message has the value, which may be the password. */
  g_set_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED, "%s: librdkafka refuses the setting %s",
               options->location, name);
  return FALSE;
}

static gboolean
set_login (const PublishOptions *options, const PublishKafkaAddress *address, rd_kafka_conf_t *conf,
           GError **error)
{
  gboolean login, done;
  char *secret;

  if (!publish_options_read_secret (options, &secret, error))
    return FALSE;
  login = address->user != NULL && secret != NULL;
  done = publish_kafka_set (options, conf, "security.protocol",
                            address->tls ? (login ? "SASL_SSL" : "SSL")
                                         : (login ? "SASL_PLAINTEXT" : "PLAINTEXT"),
                            error)
         && (!login
             || (publish_kafka_set (options, conf, "sasl.mechanisms", "PLAIN", error)
                 && publish_kafka_set (options, conf, "sasl.username", address->user, error)
                 && publish_kafka_set (options, conf, "sasl.password", secret, error)));
  publish_secret_free (secret);
  return done;
}

static void
on_log (const rd_kafka_t *client, int level, const char *facility, const char *text)
{
  GST_LOG ("%s: %s", facility, text);
}

gboolean
publish_kafka_configure (const PublishOptions *options, const PublishKafkaAddress *address,
                         rd_kafka_conf_t *conf, GError **error)
{
  rd_kafka_conf_set_log_cb (conf, on_log);
  return publish_kafka_set (options, conf, "bootstrap.servers", address->brokers, error)
         && publish_kafka_set (options, conf, "client.id",
                               options->client_id != NULL ? options->client_id : "gst-ensemble",
                               error)
         && publish_kafka_set (options, conf, "ssl.ca.location", options->tls_ca, error)
         && publish_kafka_set (options, conf, "ssl.certificate.location", options->tls_cert, error)
         && publish_kafka_set (options, conf, "ssl.key.location", options->tls_key, error)
         && set_login (options, address, conf, error);
}
