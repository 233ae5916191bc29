/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "publish/destination.h"

#include "check-main.h"

static const struct {
  const char *name, *location, *package, *option;
} rows[] = {
    {"mqtt", "mqtts://host", "libmosquitto-dev", "-Dmqtt=enabled"},
    {"kafka", "kafka://host/topic", "librdkafka-dev", "-Dkafka=enabled"},
    {"webhook", "https://host/", "libsoup-3.0-dev", "-Dwebhook=enabled"},
};

START_TEST (test_missing)
{
  g_auto (PublishOptions) options;
  g_autoptr (GError) error = NULL;

  publish_options_init (&options);
  g_free (options.location);
  options.location = g_strdup (rows[_i].location);
  ck_assert_ptr_null (publish_destination_new (&options, &error));
  ck_assert_error (error, ENS_ERROR, ENS_ERROR_UNSUPPORTED);
  ck_assert_contains (error->message, rows[_i].location);
  ck_assert_contains (error->message, rows[_i].package);
  ck_assert_contains (error->message, rows[_i].option);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/publish/stubs");
  TEST_ADD_ROWS ("missing", test_missing, rows);
  return test_run ();
}
