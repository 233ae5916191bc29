/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch/config.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"
#include "publish/secret.h"

#define CAMERA_PREFIX "camera "
#define FILE_PREFIX "file:" /* of secrets */
#define MAX_NAME 64

typedef enum {
  KEY_TEXT,
  KEY_PATH,
  KEY_LIST,    /* separated by ";" */
  KEY_COMMAND, /* words as a shell splits them */
  KEY_NUMBER,
} KeyType;

typedef struct {
  const char *section, *name;
  KeyType type;
  gsize offset; /* in WatchConfig */
  guint min, max;
} Key;

#define KEY(section, name, type, member) section, name, type, G_STRUCT_OFFSET (WatchConfig, member)

static const Key keys[] = {
    {KEY ("watch", "model", KEY_PATH, model)},
    {KEY ("watch", "reserve", KEY_NUMBER, reserve), 0, G_MAXINT},
    {KEY ("page", "listen", KEY_TEXT, listen)},
    {KEY ("page", "port", KEY_NUMBER, port), 0, 65535},
    {KEY ("page", "token", KEY_TEXT, token)},
    {KEY ("record", "classes", KEY_LIST, record_classes)},
    {KEY ("record", "folder", KEY_PATH, record_folder)},
    {KEY ("record", "before", KEY_NUMBER, record_before), 0, 60},
    {KEY ("record", "after", KEY_NUMBER, record_after), 1, 3600},
    {KEY ("record", "longest", KEY_NUMBER, record_longest), 10, 86400},
    {KEY ("record", "limit", KEY_NUMBER, record_limit), 10, G_MAXINT},
    {KEY ("collect", "folder", KEY_PATH, collect_folder)},
    {KEY ("collect", "limit", KEY_NUMBER, collect_limit), 1, 100000},
    {KEY ("train", "dataset", KEY_PATH, train_dataset)},
    {KEY ("train", "arguments", KEY_COMMAND, train_arguments)},
};

/* What `watch` sets itself. */
static const char *const own_classify[] = {"name", "model",         "watch-model", "collect",
                                           "mode", "post-messages", NULL};
static const char *const own_publish[] = {"name", "source", NULL};

typedef struct {
  GKeyFile *file;
  WatchConfig *config;
  char *folder;
} Reader;

static gboolean fail (const Reader *reader, const char *section, const char *key, GError **error,
                      const char *format, ...) G_GNUC_PRINTF (5, 6);

static gboolean
fail (const Reader *reader, const char *section, const char *key, GError **error,
      const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "%s: [%s]%s%s: %s", reader->config->path,
               section, key != NULL ? " " : "", key != NULL ? key : "", what);
  return FALSE;
}

static void
free_setting (gpointer data)
{
  WatchSetting *setting = data;

  g_free (setting->name);
  g_free (setting->value);
  g_free (setting);
}

static void
free_camera (gpointer data)
{
  WatchCameraConfig *camera = data;

  g_free (camera->name);
  g_free (camera->uri);
  g_strfreev (camera->record);
  g_ptr_array_unref (camera->settings);
  g_free (camera);
}

void
watch_config_free (WatchConfig *config)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    gpointer variable = (char *)config + keys[i].offset;

    if (keys[i].type == KEY_TEXT || keys[i].type == KEY_PATH)
      g_free (*(char **)variable);
    else if (keys[i].type != KEY_NUMBER)
      g_strfreev (*(char ***)variable);
  }
  g_free (config->path);
  g_ptr_array_unref (config->classify);
  g_ptr_array_unref (config->publish);
  g_ptr_array_unref (config->cameras);
  g_free (config);
}

/* ---- Values ---- */

static gboolean
read_number (const Reader *reader, const Key *key, guint *value, GError **error)
{
  g_autofree char *text = g_key_file_get_string (reader->file, key->section, key->name, NULL);
  guint64 number;

  g_strstrip (text);
  if (!g_ascii_string_to_unsigned (text, 10, key->min, key->max, &number, NULL))
    return fail (reader, key->section, key->name, error,
                 "expected a whole number from %u to %u, found “%s”", key->min, key->max, text);
  *value = (guint)number;
  return TRUE;
}

static gboolean
read_command (const Reader *reader, const Key *key, char ***value, GError **error)
{
  g_autofree char *text = g_key_file_get_string (reader->file, key->section, key->name, NULL);
  g_autoptr (GError) reason = NULL;

  if (*g_strstrip (text) == '\0' || g_shell_parse_argv (text, NULL, value, &reason))
    return TRUE;
  return fail (reader, key->section, key->name, error, "%s", reason->message);
}

/* Not empty. (transfer full) */
static char *
read_text (const Reader *reader, const char *section, const char *key, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = g_key_file_get_string (reader->file, section, key, &reason);

  if (text == NULL)
    fail (reader, section, key, error, "%s", reason->message);
  else if (*g_strstrip (text) == '\0')
    fail (reader, section, key, error, "expected a value, found none");
  else
    return g_steal_pointer (&text);
  return NULL;
}

static gboolean
read_value (const Reader *reader, const Key *key, GError **error)
{
  gpointer variable = (char *)reader->config + key->offset;
  g_autofree char *text = NULL;

  switch (key->type) {
  case KEY_NUMBER:
    return read_number (reader, key, variable, error);
  case KEY_COMMAND:
    return read_command (reader, key, variable, error);
  case KEY_LIST:
    *(char ***)variable =
        g_key_file_get_string_list (reader->file, key->section, key->name, NULL, error);
    return *(char ***)variable != NULL;
  default:
    text = read_text (reader, key->section, key->name, error);
    if (text == NULL)
      return FALSE;
    g_free (*(char **)variable);
    *(char **)variable = key->type == KEY_PATH ? g_canonicalize_filename (text, reader->folder)
                                               : g_steal_pointer (&text);
    return TRUE;
  }
}

/* ---- Sections ---- */

static const Key *
find_key (const char *section, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++)
    if (strcmp (keys[i].section, section) == 0
        && (name == NULL || strcmp (keys[i].name, name) == 0))
      return &keys[i];
  return NULL;
}

static gboolean
read_plain (const Reader *reader, const char *section, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (reader->file, section, NULL, NULL);

  for (guint i = 0; names[i] != NULL; i++) {
    const Key *key = find_key (section, names[i]);

    if (key == NULL)
      return fail (reader, section, names[i], error, "there is no such key");
    if (!read_value (reader, key, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
add_setting (const Reader *reader, const char *section, const char *name, const char *const *own,
             GPtrArray *settings, GError **error)
{
  WatchSetting *setting;
  char *value;

  if (g_strv_contains (own, name))
    return fail (reader, section, name, error, "watch sets this property itself");
  value = read_text (reader, section, name, error);
  if (value == NULL)
    return FALSE;
  setting = g_new0 (WatchSetting, 1);
  setting->name = g_strdup (name);
  setting->value = value;
  g_ptr_array_add (settings, setting);
  return TRUE;
}

static gboolean
read_settings (const Reader *reader, const char *section, const char *const *own,
               GPtrArray *settings, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (reader->file, section, NULL, NULL);

  for (guint i = 0; names[i] != NULL; i++)
    if (!add_setting (reader, section, names[i], own, settings, error))
      return FALSE;
  return TRUE;
}

static gboolean
check_name (const Reader *reader, const char *section, const char *name, GError **error)
{
  const gsize length = strspn (name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "-_");

  if (length == 0 || length > MAX_NAME || name[length] != '\0')
    return fail (reader, section, NULL, error,
                 "expected a name of letters, digits, “-” and “_”, %d at most", MAX_NAME);
  return TRUE;
}

static gboolean
read_camera_key (const Reader *reader, const char *section, const char *name,
                 WatchCameraConfig *camera, GError **error)
{
  if (strcmp (name, "record") == 0) {
    camera->record = g_key_file_get_string_list (reader->file, section, name, NULL, error);
    return camera->record != NULL;
  }
  if (strcmp (name, "uri") != 0)
    return add_setting (reader, section, name, own_classify, camera->settings, error);
  camera->uri = read_text (reader, section, name, error);
  if (camera->uri != NULL && !gst_uri_is_valid (camera->uri))
    return fail (reader, section, name, error,
                 "expected a URI such as rtsp://HOST/PATH or file:///PATH");
  return camera->uri != NULL;
}

static gboolean
read_camera (const Reader *reader, const char *section, GError **error)
{
  const char *name = section + strlen (CAMERA_PREFIX);
  g_auto (GStrv) names = g_key_file_get_keys (reader->file, section, NULL, NULL);
  WatchCameraConfig *camera;

  if (!check_name (reader, section, name, error))
    return FALSE;
  camera = g_new0 (WatchCameraConfig, 1);
  camera->name = g_strdup (name);
  camera->settings = g_ptr_array_new_with_free_func (free_setting);
  g_ptr_array_add (reader->config->cameras, camera);
  for (guint i = 0; names[i] != NULL; i++)
    if (!read_camera_key (reader, section, names[i], camera, error))
      return FALSE;
  return camera->uri != NULL || fail (reader, section, "uri", error, "is missing");
}

static gboolean
read_section (const Reader *reader, const char *section, GError **error)
{
  WatchConfig *config = reader->config;

  if (g_str_has_prefix (section, CAMERA_PREFIX))
    return read_camera (reader, section, error);
  if (strcmp (section, "classify") == 0)
    return read_settings (reader, section, own_classify, config->classify, error);
  if (strcmp (section, "publish") == 0)
    return read_settings (reader, section, own_publish, config->publish, error);
  if (find_key (section, NULL) == NULL)
    return fail (reader, section, NULL, error,
                 "there is no such section; expected watch, page, classify, publish, record, "
                 "collect, train or camera NAME");
  return read_plain (reader, section, error);
}

/* ---- All of it ---- */

gboolean
watch_config_is_local (const WatchConfig *config)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (config->listen);

  return address != NULL && g_inet_address_get_is_loopback (address);
}

static void
resolve_token (const Reader *reader)
{
  char **token = &reader->config->token;
  g_autofree char *path = NULL;

  if (*token == NULL || !g_str_has_prefix (*token, FILE_PREFIX))
    return;
  path = g_canonicalize_filename (*token + strlen (FILE_PREFIX), reader->folder);
  g_free (*token);
  *token = g_strconcat (FILE_PREFIX, path, NULL);
}

static gboolean
check_page (const Reader *reader, GError **error)
{
  WatchConfig *config = reader->config;
  g_autoptr (GInetAddress) address = NULL;

  resolve_token (reader);

  if (strcmp (config->listen, "off") == 0) {
    g_clear_pointer (&config->listen, g_free);
    return TRUE;
  }
  address = g_inet_address_new_from_string (config->listen);
  if (address == NULL)
    return fail (reader, "page", "listen", error,
                 "expected an IP address, such as 127.0.0.1, or off, found “%s”", config->listen);
  if (!publish_secret_check (config->token, NULL))
    return fail (reader, "page", "token", error, "expected file:PATH or env:NAME");
  if (config->token == NULL && !g_inet_address_get_is_loopback (address))
    return fail (reader, "page", "listen", error,
                 "other machines can reach %s: set token=file:PATH or token=env:NAME too",
                 config->listen);
  return TRUE;
}

static gboolean
check (const Reader *reader, GError **error)
{
  const WatchConfig *config = reader->config;

  if (config->model == NULL)
    return fail (reader, "watch", "model", error, "is missing: the bundle");
  if (config->cameras->len == 0)
    return fail (reader, "camera NAME", "uri", error, "there is no camera");
  return check_page (reader, error);
}

static WatchConfig *
make_config (const char *path, const char *folder)
{
  WatchConfig *config = g_new0 (WatchConfig, 1);

  config->path = g_strdup (path);
  config->classify = g_ptr_array_new_with_free_func (free_setting);
  config->publish = g_ptr_array_new_with_free_func (free_setting);
  config->cameras = g_ptr_array_new_with_free_func (free_camera);
  config->listen = g_strdup ("127.0.0.1");
  config->port = 8420;
  config->reserve = 1024;
  config->record_folder = g_build_filename (folder, "clips", NULL);
  config->record_before = 5;
  config->record_after = 5;
  config->record_longest = 300;
  config->record_limit = 2048;
  config->collect_limit = 200;
  return config;
}

WatchConfig *
watch_config_read (const char *path, GError **error)
{
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  g_autofree char *folder = g_path_get_dirname (absolute);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autoptr (WatchConfig) config = make_config (path, folder);
  const Reader reader = {file, config, folder};
  g_auto (GStrv) sections = NULL;
  g_autoptr (GError) reason = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &reason)) {
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "%s: %s", path, reason->message);
    return NULL;
  }
  sections = g_key_file_get_groups (file, NULL);
  for (guint i = 0; sections[i] != NULL; i++)
    if (!read_section (&reader, sections[i], error))
      return NULL;
  return check (&reader, error) ? g_steal_pointer (&config) : NULL;
}

gboolean
watch_settings_apply (const GPtrArray *settings, const char *section, GstElement *element,
                      GError **error)
{
  for (guint i = 0; i < settings->len; i++) {
    const WatchSetting *setting = g_ptr_array_index (settings, i);
    GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), setting->name);
    g_auto (GValue) value = G_VALUE_INIT;

    if (spec == NULL || (spec->flags & G_PARAM_WRITABLE) == 0) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "[%s] %s: %s has no such property; gst-inspect-1.0 %s lists them", section,
                   setting->name, G_OBJECT_TYPE_NAME (element),
                   GST_OBJECT_NAME (gst_element_get_factory (element)));
      return FALSE;
    }
    g_value_init (&value, spec->value_type);
    if (!gst_value_deserialize_with_pspec (&value, setting->value, spec)
        || g_param_value_validate (spec, &value)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "[%s] %s: can't be “%s”", section,
                   setting->name, setting->value);
      return FALSE;
    }
    g_object_set_property (G_OBJECT (element), setting->name, &value);
  }
  return TRUE;
}
