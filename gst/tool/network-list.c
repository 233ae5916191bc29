#include "network-list.h"

#include <math.h>
#include <string.h>

#include "ensemble/bundle-files.h"
#include "ensemble/json-reader.h"
#include "tool.h"

/* Mean and deviation of ImageNet's photographs, which torchvision's networks are trained with. */
static const EnsNormalise usual_normalise = {.order = ENS_ORDER_RGB,
                                             .mean = {123.675f, 116.28f, 103.53f},
                                             .scale = {1 / 58.395f, 1 / 57.12f, 1 / 57.375f}};

static const char *const role_names[] = {"original", "retrained", NULL};
static const char *const order_names[] = {"RGB", "BGR", "GRAY", NULL};

struct _ToolNetworks {
  GArray *list; /* EnsFitNetwork, whose strings and arrays it owns */
};

static void
clear_network (gpointer data)
{
  EnsFitNetwork *network = data;

  g_free ((gpointer)network->path);
  g_free ((gpointer)network->name);
  g_strfreev ((char **)network->taps);
  g_free ((gpointer)network->scales);
  g_free ((gpointer)network->window_sizes);
}

ToolNetworks *
tool_networks_new (void)
{
  ToolNetworks *networks = g_new (ToolNetworks, 1);

  networks->list = g_array_new (FALSE, TRUE, sizeof (EnsFitNetwork));
  g_array_set_clear_func (networks->list, clear_network);
  return networks;
}

void
tool_networks_free (ToolNetworks *networks)
{
  g_array_unref (networks->list);
  g_free (networks);
}

const EnsFitNetwork *
tool_networks_get (const ToolNetworks *networks, guint *n)
{
  *n = networks->list->len;
  return (const EnsFitNetwork *)networks->list->data;
}

static EnsFitNetwork *
append_network (ToolNetworks *networks, char *path)
{
  EnsFitNetwork network = {.path = path, .role = ENS_ROLE_RETRAINED, .normalise = usual_normalise};

  g_array_append_val (networks->list, network);
  return &g_array_index (networks->list, EnsFitNetwork, networks->list->len - 1);
}

/* ---- Command line ---- */

static gboolean
fail_value (const char *key, const char *expected, const char *value, GError **error)
{
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--network: %s expects %s, got “%s”", key, expected,
               value);
  return FALSE;
}

static gboolean
set_choice (const char *key, const char *value, const char *const *names, guint *choice,
            GError **error)
{
  g_autofree char *expected = NULL;

  for (guint i = 0; names[i] != NULL; i++)
    if (g_ascii_strcasecmp (value, names[i]) == 0) {
      *choice = i;
      return TRUE;
    }
  expected = g_strjoinv (", ", (char **)names);
  return fail_value (key, expected, value, error);
}

static gboolean
set_role (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  guint role = network->role;
  gboolean known = set_choice (key, value, role_names, &role, error);

  network->role = (EnsRole)role;
  return known;
}

static gboolean
set_order (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  guint order = network->normalise.order;
  gboolean known = set_choice (key, value, order_names, &order, error);

  network->normalise.order = (EnsOrder)order;
  return known;
}

static gboolean
set_name (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  g_free ((gpointer)network->name);
  network->name = g_strdup (value);
  return TRUE;
}

static gboolean
set_taps (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  g_strfreev ((char **)network->taps);
  network->taps = (const char *const *)g_strsplit (value, "+", -1);
  return TRUE;
}

/* One number for all channels, or one for each. */
static gboolean
set_channels (float *channels, const char *key, const char *value, GError **error)
{
  g_auto (GStrv) words = g_strsplit (value, "+", -1);
  guint n = g_strv_length (words);

  if (n != 1 && n != 3)
    return fail_value (key, "one number, or three joined by “+”", value, error);
  for (guint c = 0; c < 3; c++) {
    const char *word = words[n == 1 ? 0 : c];
    char *end;

    channels[c] = (float)g_ascii_strtod (word, &end);
    if (end == word || *end != '\0' || !isfinite (channels[c]))
      return fail_value (key, "numbers", value, error);
  }
  return TRUE;
}

static gboolean
set_mean (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  return set_channels (network->normalise.mean, key, value, error);
}

static gboolean
set_scale (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  return set_channels (network->normalise.scale, key, value, error);
}

static gboolean
set_sizes (const guint **sizes, guint *n, const char *key, const char *value, GError **error)
{
  g_autofree char *option = g_strconcat ("--network: ", key, NULL);
  g_autofree char *list = g_strdelimit (g_strdup (value), "+", ',');
  guint *values = NULL;

  if (!tool_parse_sizes (list, option, &values, n, error))
    return FALSE;
  g_free ((gpointer)*sizes);
  *sizes = values;
  return TRUE;
}

static gboolean
set_size (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  guint64 size;

  if (!g_ascii_string_to_unsigned (value, 10, 1, ENS_MAX_SIDE, &size, NULL))
    return fail_value (key, "a number of pixels", value, error);
  network->size = (guint)size;
  return TRUE;
}

static gboolean
set_scales (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  return set_sizes (&network->scales, &network->n_scales, key, value, error);
}

static gboolean
set_window_sizes (EnsFitNetwork *network, const char *key, const char *value, GError **error)
{
  return set_sizes (&network->window_sizes, &network->n_window_sizes, key, value, error);
}

static const struct {
  const char *key;
  gboolean (*set) (EnsFitNetwork *network, const char *key, const char *value, GError **error);
} settings[] = {
    {"role", set_role},     {"name", set_name},   {"order", set_order},
    {"mean", set_mean},     {"scale", set_scale}, {"size", set_size},
    {"scales", set_scales}, {"taps", set_taps},   {"window-sizes", set_window_sizes},
};

static gboolean
set_setting (EnsFitNetwork *network, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = equals ? g_strndup (text, (gsize)(equals - text)) : g_strdup (text);

  for (guint i = 0; equals != NULL && i < G_N_ELEMENTS (settings); i++)
    if (strcmp (key, settings[i].key) == 0)
      return settings[i].set (network, key, equals + 1, error);
  g_set_error (error, TOOL_ERROR_USAGE, 0,
               "--network: expected role=, name=, order=, mean=, scale=, size=, taps=, scales= or "
               "window-sizes= after the file, got “%s”",
               text);
  return FALSE;
}

gboolean
tool_networks_add (ToolNetworks *networks, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  EnsFitNetwork *network;

  if (words[0] == NULL || *words[0] == '\0')
    return fail_value ("FILE", "an ONNX file", text, error);
  network = append_network (networks, g_strdup (words[0]));
  for (guint i = 1; words[i] != NULL; i++)
    if (!set_setting (network, words[i], error))
      return FALSE;
  return TRUE;
}

/* ---- JSON ---- */

static void
read_channels (EnsJsonReader *reader, const char *name, float *channels)
{
  const EnsJsonRange range = {.min_length = 3, .max_length = 3, .min = -1e6, .max = 1e6};
  g_autofree float *values = NULL;
  guint n;

  if (!ens_json_reader_has (reader, name))
    return;
  values = ens_json_reader_numbers (reader, name, &range, &n);
  if (values != NULL)
    memcpy (channels, values, 3 * sizeof *channels);
}

static void
read_sizes (EnsJsonReader *reader, const char *name, const guint **sizes, guint *n)
{
  const EnsJsonRange range = {
      .min_length = 1, .max_length = ENS_MAX_SCALES, .min = 1, .max = ENS_MAX_SIDE};

  if (ens_json_reader_has (reader, name))
    *sizes = ens_json_reader_integers (reader, name, &range, n);
}

static void
read_network (EnsJsonReader *reader, const char *folder, ToolNetworks *networks)
{
  g_autofree char *file = ens_json_reader_string (reader, "file");
  EnsFitNetwork *network =
      append_network (networks, file ? g_build_filename (folder, file, NULL) : NULL);

  if (ens_json_reader_has (reader, "name"))
    network->name = ens_json_reader_string (reader, "name");
  if (ens_json_reader_has (reader, "role"))
    network->role = (EnsRole)ens_json_reader_choice (reader, "role", role_names);
  if (ens_json_reader_has (reader, "order"))
    network->normalise.order = (EnsOrder)ens_json_reader_choice (reader, "order", order_names);
  if (ens_json_reader_has (reader, "size"))
    network->size = ens_json_reader_integer (reader, "size", 1, ENS_MAX_SIDE);
  /* What the outputs mean is for people: classifiers are trained on features. */
  if (ens_json_reader_has (reader, "labels"))
    g_strfreev (ens_json_reader_strings (reader, "labels", 1));
  if (ens_json_reader_has (reader, "taps"))
    network->taps = (const char *const *)ens_json_reader_strings (reader, "taps", 1);
  read_channels (reader, "mean", network->normalise.mean);
  read_channels (reader, "scale", network->normalise.scale);
  read_sizes (reader, "scales", &network->scales, &network->n_scales);
  read_sizes (reader, "window_sizes", &network->window_sizes, &network->n_window_sizes);
}

gboolean
tool_networks_read (ToolNetworks *networks, const char *path, GError **error)
{
  g_autoptr (EnsJsonReader) reader = ens_json_reader_open (path, error);
  g_autofree char *folder = g_path_get_dirname (path);
  guint n;

  if (reader == NULL)
    return FALSE;
  n = ens_json_reader_enter_array (reader, "networks");
  for (guint i = 0; i < n && !ens_json_reader_failed (reader); i++) {
    ens_json_reader_enter_element (reader, i);
    read_network (reader, folder, networks);
    ens_json_reader_leave (reader);
  }
  ens_json_reader_leave (reader);
  return ens_json_reader_finish (reader, error);
}
