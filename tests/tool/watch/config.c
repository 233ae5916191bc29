/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configurations of watch: what is read, and what errors say. */
#include "watch/config.h"

#include <glib/gstdio.h>

#include "check-main.h"

#define CAMERA "[camera yard]\nuri=rtsp://host/path\n"
#define MODEL "[watch]\nmodel=site.ensemble\n"

/* error: a part of the message; NULL: it can be read. */
static const struct {
  const char *name, *text, *error;
} rows[] = {
    {"least", MODEL CAMERA, NULL},
    {"no-model", CAMERA, "[watch] model: is missing"},
    {"no-camera", MODEL, "there is no camera"},
    {"no-uri", MODEL "[camera yard]\nmotion=0.1\n", "[camera yard] uri: is missing"},
    {"uri", MODEL "[camera yard]\nuri=/dev/video0\n", "[camera yard] uri: expected a URI"},
    {"name", MODEL "[camera a/b]\nuri=rtsp://host\n", "expected a name of letters"},
    {"no-name", MODEL "[camera ]\nuri=rtsp://host\n", "expected a name of letters"},
    {"section", MODEL CAMERA "[clips]\nclasses=cat\n", "[clips]: there is no such section"},
    {"key", MODEL CAMERA "[page]\nprot=1\n", "[page] prot: there is no such key"},
    {"number", MODEL CAMERA "[page]\nport=http\n", "[page] port: expected a whole number"},
    {"reserve", "[watch]\nmodel=a\nreserve=-1\n" CAMERA,
     "[watch] reserve: expected a whole number"},
    {"range", MODEL CAMERA "[page]\nport=65536\n", "from 0 to 65535, found “65536”"},
    {"own", MODEL CAMERA "[classify]\nmodel=other\n", "[classify] model: watch sets this"},
    {"own-camera", MODEL CAMERA "collect=x\n", "[camera yard] collect: watch sets this"},
    {"empty", "[watch]\nmodel=\n" CAMERA, "[watch] model: expected a value"},
    {"quotes", MODEL CAMERA "[train]\narguments='a\n", "[train] arguments: "},
    {"no-address", MODEL CAMERA "[page]\nlisten=localhost\n", "expected an IP address"},
    {"open", MODEL CAMERA "[page]\nlisten=0.0.0.0\n", "set token=file:PATH"},
    {"open-6", MODEL CAMERA "[page]\nlisten=::\n", "set token=file:PATH"},
    {"loopback-6", MODEL CAMERA "[page]\nlisten=::1\n", NULL},
    {"token", MODEL CAMERA "[page]\nlisten=0.0.0.0\ntoken=env:TOKEN\n", NULL},
    {"bare-token", MODEL CAMERA "[page]\ntoken=secret\n", "expected file:PATH or env:NAME"},
    {"no-page", MODEL CAMERA "[page]\nlisten=off\n", NULL},
};

/* (transfer full) */
static WatchConfig *
read_text (const char *text, GError **error)
{
  g_autofree char *folder = g_dir_make_tmp ("watch-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "watch.conf", NULL);
  WatchConfig *config;

  ck_assert (g_file_set_contents (path, text, -1, NULL));
  config = watch_config_read (path, error);
  g_remove (path);
  g_rmdir (folder);
  return config;
}

START_TEST (test_row)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WatchConfig) config = read_text (rows[_i].text, &error);

  if (rows[_i].error == NULL) {
    ck_assert_no_error (error);
    return;
  }
  ck_assert_ptr_null (config);
  ck_assert_msg (strstr (error->message, rows[_i].error) != NULL, "%s", error->message);
}
END_TEST

START_TEST (test_values)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WatchConfig) config = read_text (
      MODEL "[page]\nlisten=off\ntoken=file:token\n[record]\nclasses=cat;dog\nbefore=7\n"
            "[train]\narguments=--networks 'my networks.json'\n[classify]\nmotion=0.5\n" CAMERA
            "record=dog\ncrop=<0.0,0.0,1.0,0.5>\n",
      &error);
  const WatchCameraConfig *camera;
  const WatchSetting *setting;

  ck_assert_no_error (error);
  camera = g_ptr_array_index (config->cameras, 0);
  setting = g_ptr_array_index (camera->settings, 0);
  ck_assert (g_path_is_absolute (config->model));
  ck_assert (g_str_has_prefix (config->token, "file:/"));
  ck_assert_ptr_null (config->listen);
  ck_assert_str_eq (config->record_classes[1], "dog");
  ck_assert_uint_eq (config->record_before, 7);
  ck_assert_uint_eq (config->record_after, 5);
  ck_assert_str_eq (config->train_arguments[1], "my networks.json");
  ck_assert_uint_eq (config->classify->len, 1);
  ck_assert_str_eq (camera->record[0], "dog");
  ck_assert_str_eq (setting->name, "crop");
}
END_TEST

/* What an element says to its settings. */
static const struct {
  const char *name, *property, *value, *error;
} settings[] = {
    {"number", "num-buffers", "7", NULL},
    {"flag", "sync", "true", NULL},
    {"range", "num-buffers", "-2", "can't be “-2”"},
    {"word", "num-buffers", "many", "can't be “many”"},
    {"unknown", "mottion", "1", "[classify] mottion: GstFakeSink has no such property"},
    {"read-only", "last-message", "x", "has no such property"},
};

START_TEST (test_setting)
{
  GstElement *element = gst_object_ref_sink (gst_element_factory_make ("fakesink", NULL));
  WatchSetting setting = {(char *)settings[_i].property, (char *)settings[_i].value};
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  gboolean set;

  g_ptr_array_add (list, &setting);
  set = watch_settings_apply (list, "classify", element, &error);
  ck_assert_int_eq (set, settings[_i].error == NULL);
  if (!set)
    ck_assert_msg (strstr (error->message, settings[_i].error) != NULL, "%s", error->message);
  gst_object_unref (element);
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("watch-config");
  TEST_ADD_ROWS ("read", test_row, rows);
  test_add ("values", test_values);
  TEST_ADD_ROWS ("settings", test_setting, settings);
  return test_run ();
}
