/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-list.h"

#include <math.h>
#include <string.h>

#include "ensemble/bundle.h"
#include "base/json-reader.h"
#include "proposal.h"
#include "tool.h"

/* What the user has given of a network's settings. */
typedef struct {
  gboolean role, order, mean, scale, deviation;
  float deviations[3];
} Given;

struct _ToolNetworks {
  GArray *list;  /* EnsFitNetwork, whose strings and arrays it owns */
  GArray *given; /* Given, of each */
};

/* A network that is being described. */
typedef struct {
  EnsFitNetwork *fit;
  Given *given;
} Network;

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
  networks->given = g_array_new (FALSE, TRUE, sizeof (Given));
  return networks;
}

void
tool_networks_free (ToolNetworks *networks)
{
  g_array_unref (networks->list);
  g_array_unref (networks->given);
  g_free (networks);
}

const EnsFitNetwork *
tool_networks_get (const ToolNetworks *networks, guint *n)
{
  *n = networks->list->len;
  return (const EnsFitNetwork *)networks->list->data;
}

static Network
get_network (ToolNetworks *networks, guint i)
{
  return (Network) {&g_array_index (networks->list, EnsFitNetwork, i),
                    &g_array_index (networks->given, Given, i)};
}

static Network
append_network (ToolNetworks *networks, char *path)
{
  EnsFitNetwork fit = {.path = path, .role = ENS_ROLE_RETRAINED};
  Given given = {0};

  g_array_append_val (networks->list, fit);
  g_array_append_val (networks->given, given);
  return get_network (networks, networks->list->len - 1);
}

/* A deviation is in the unit of the mean: torchvision's are of values 0 … 1. */
static void
settle_deviation (Network network)
{
  EnsNormalise *normalise = &network.fit->normalise;
  gboolean of_one = TRUE;

  if (!network.given->deviation)
    return;
  for (guint c = 0; c < 3; c++)
    of_one = of_one && fabsf (normalise->mean[c]) <= 1 && network.given->deviations[c] <= 1;
  for (guint c = 0; c < 3; c++) {
    normalise->mean[c] *= of_one ? 255 : 1;
    normalise->scale[c] = 1 / (network.given->deviations[c] * (of_one ? 255 : 1));
  }
  network.given->scale = TRUE;
}

/* ---- Command line ---- */

static gboolean
fail_value (const char *key, const char *expected, const char *value, GError **error)
{
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--network: %s expects %s, got “%s”", key, expected,
               value);
  return FALSE;
}

/* Of networks that classes are learnt with. */
static const char *const roles[] = {"original", "retrained", NULL};

static gboolean
set_choice (const char *key, const char *value, const char *const *names, guint *choice,
            GError **error)
{
  g_autofree char *option = g_strconcat ("--network: ", key, NULL);

  return tool_parse_choice (option, value, names, choice, error);
}

static gboolean
set_role (Network network, const char *key, const char *value, GError **error)
{
  guint role = network.fit->role;
  gboolean known = set_choice (key, value, roles, &role, error);

  network.fit->role = (EnsRole)role;
  network.given->role = TRUE;
  return known;
}

static gboolean
set_order (Network network, const char *key, const char *value, GError **error)
{
  guint order = network.fit->normalise.order;
  gboolean known = set_choice (key, value, ens_order_names, &order, error);

  network.fit->normalise.order = (EnsOrder)order;
  network.given->order = TRUE;
  return known;
}

static gboolean
set_framing_of (EnsFraming *framing, gboolean of_windows, const char *key, const char *value,
                GError **error)
{
  guint choice = *framing;

  if (!set_choice (key, value, ens_framing_names + of_windows, &choice, error))
    return FALSE;
  *framing = (EnsFraming)(choice + of_windows);
  return TRUE;
}

static gboolean
set_framing (Network network, const char *key, const char *value, GError **error)
{
  return set_framing_of (&network.fit->framing, FALSE, key, value, error);
}

/* Windows become squares, which scaling alone does not make of them. */
static gboolean
set_window_framing (Network network, const char *key, const char *value, GError **error)
{
  return set_framing_of (&network.fit->window_framing, TRUE, key, value, error);
}

static gboolean
set_crop (Network network, const char *key, const char *value, GError **error)
{
  char *end;
  double crop = g_ascii_strtod (value, &end);

  if (end == value || *end != '\0' || !(crop >= 0.01 && crop <= 1))
    return fail_value (key, "a share from 0.01 to 1", value, error);
  network.fit->crop = (float)crop;
  network.fit->framing = ENS_FRAMING_CROP;
  return TRUE;
}

static gboolean
set_name (Network network, const char *key, const char *value, GError **error)
{
  g_free ((gpointer)network.fit->name);
  network.fit->name = g_strdup (value);
  return TRUE;
}

static gboolean
set_taps (Network network, const char *key, const char *value, GError **error)
{
  g_strfreev ((char **)network.fit->taps);
  network.fit->taps = (const char *const *)g_strsplit (value, "+", -1);
  return TRUE;
}

/* One number for all channels, or one for each. */
static gboolean
set_channels (float *channels, const char *key, const char *value, GError **error)
{
  static const char expected[] = "one number, or three such as 104+117+123";
  g_auto (GStrv) words = g_strsplit (value, "+", -1);
  guint n = g_strv_length (words);

  if (n != 1 && n != 3)
    return fail_value (key, expected, value, error);
  for (guint c = 0; c < 3; c++) {
    const char *word = words[n == 1 ? 0 : c];
    char *end;

    channels[c] = (float)g_ascii_strtod (word, &end);
    if (end == word || *end != '\0' || !isfinite (channels[c]))
      return fail_value (key, expected, value, error);
  }
  return TRUE;
}

static gboolean
set_mean (Network network, const char *key, const char *value, GError **error)
{
  network.given->mean = TRUE;
  return set_channels (network.fit->normalise.mean, key, value, error);
}

static gboolean
set_scale (Network network, const char *key, const char *value, GError **error)
{
  network.given->scale = TRUE;
  return set_channels (network.fit->normalise.scale, key, value, error);
}

static gboolean
set_deviation (Network network, const char *key, const char *value, GError **error)
{
  float *deviations = network.given->deviations;

  network.given->deviation = TRUE;
  if (!set_channels (deviations, key, value, error))
    return FALSE;
  return (deviations[0] > 0 && deviations[1] > 0 && deviations[2] > 0)
         || fail_value (key, "numbers above 0", value, error);
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
set_size (Network network, const char *key, const char *value, GError **error)
{
  guint64 size;

  if (!g_ascii_string_to_unsigned (value, 10, 1, ENS_MAX_SIDE, &size, NULL))
    return fail_value (key, "a number of pixels", value, error);
  network.fit->size = (guint)size;
  return TRUE;
}

static gboolean
set_scales (Network network, const char *key, const char *value, GError **error)
{
  return set_sizes (&network.fit->scales, &network.fit->n_scales, key, value, error);
}

static gboolean
set_window_sizes (Network network, const char *key, const char *value, GError **error)
{
  return set_sizes (&network.fit->window_sizes, &network.fit->n_window_sizes, key, value, error);
}

static gboolean
set_flip (Network network, const char *key, const char *value, GError **error)
{
  network.fit->flip = strcmp (value, "yes") == 0;
  return network.fit->flip || strcmp (value, "no") == 0
         || fail_value (key, "yes or no", value, error);
}

static const struct {
  const char *key;
  gboolean (*set) (Network network, const char *key, const char *value, GError **error);
} settings[] = {
    {"role", set_role},
    {"name", set_name},
    {"order", set_order},
    {"mean", set_mean},
    {"scale", set_scale},
    {"std", set_deviation},
    {"size", set_size},
    {"framing", set_framing},
    {"crop", set_crop},
    {"scales", set_scales},
    {"flip", set_flip},
    {"taps", set_taps},
    {"window-sizes", set_window_sizes},
    {"window-framing", set_window_framing},
};

static gboolean
set_setting (Network network, const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  g_autofree char *key = equals ? g_strndup (text, (gsize)(equals - text)) : g_strdup (text);
  g_autoptr (GString) keys = g_string_new (NULL);

  for (guint i = 0; equals != NULL && i < G_N_ELEMENTS (settings); i++)
    if (strcmp (key, settings[i].key) == 0)
      return settings[i].set (network, key, equals + 1, error);
  for (guint i = 0; i < G_N_ELEMENTS (settings); i++)
    g_string_append_printf (keys, "%s%s=", i > 0 ? ", " : "", settings[i].key);
  g_set_error (error, TOOL_ERROR_USAGE, 0, "--network: expected one of %s after the file, got “%s”",
               keys->str, text);
  return FALSE;
}

gboolean
tool_networks_add (ToolNetworks *networks, const char *text, GError **error)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  Network network;

  if (words[0] == NULL || *words[0] == '\0')
    return fail_value ("FILE", "an ONNX file", text, error);
  network = append_network (networks, g_strdup (words[0]));
  for (guint i = 1; words[i] != NULL; i++)
    if (!set_setting (network, words[i], error))
      return FALSE;
  settle_deviation (network);
  return TRUE;
}

/* ---- JSON ---- */

/* FALSE if there are none. */
static gboolean
read_channels (EnsJsonReader *reader, const char *name, double min, float *channels)
{
  const EnsJsonRange range = {.min_length = 3, .max_length = 3, .min = min, .max = 1e6};
  g_autofree float *values = NULL;
  guint n;

  if (!ens_json_reader_has (reader, name))
    return FALSE;
  values = ens_json_reader_numbers (reader, name, &range, &n);
  if (values != NULL)
    memcpy (channels, values, 3 * sizeof *channels);
  return values != NULL;
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
read_framing (EnsJsonReader *reader, EnsFitNetwork *fit)
{
  if (ens_json_reader_has (reader, "crop")) {
    fit->crop = (float)ens_json_reader_number (reader, "crop", 0.01, 1);
    fit->framing = ENS_FRAMING_CROP;
  }
  if (ens_json_reader_has (reader, "framing"))
    fit->framing = (EnsFraming)ens_json_reader_choice (reader, "framing", ens_framing_names);
  if (ens_json_reader_has (reader, "window_framing"))
    fit->window_framing =
        (EnsFraming)(1 + ens_json_reader_choice (reader, "window_framing", ens_framing_names + 1));
}

static void
read_network (EnsJsonReader *reader, const char *folder, ToolNetworks *networks)
{
  g_autofree char *file = ens_json_reader_string (reader, "file");
  const Network network =
      append_network (networks, file ? g_build_filename (folder, file, NULL) : NULL);
  EnsFitNetwork *fit = network.fit;

  if (ens_json_reader_has (reader, "name"))
    fit->name = ens_json_reader_string (reader, "name");
  network.given->role = ens_json_reader_has (reader, "role");
  if (network.given->role)
    fit->role = (EnsRole)ens_json_reader_choice (reader, "role", roles);
  network.given->order = ens_json_reader_has (reader, "order");
  if (network.given->order)
    fit->normalise.order = (EnsOrder)ens_json_reader_choice (reader, "order", ens_order_names);
  if (ens_json_reader_has (reader, "size"))
    fit->size = ens_json_reader_integer (reader, "size", 1, ENS_MAX_SIDE);
  /* What the outputs mean is for people: classifiers are trained on features. */
  if (ens_json_reader_has (reader, "labels"))
    g_strfreev (ens_json_reader_strings (reader, "labels", 1));
  if (ens_json_reader_has (reader, "taps"))
    fit->taps = (const char *const *)ens_json_reader_strings (reader, "taps", 1);
  network.given->mean = read_channels (reader, "mean", -1e6, fit->normalise.mean);
  network.given->scale = read_channels (reader, "scale", -1e6, fit->normalise.scale);
  network.given->deviation = read_channels (reader, "std", 1e-6, network.given->deviations);
  settle_deviation (network);
  read_framing (reader, fit);
  read_sizes (reader, "scales", &fit->scales, &fit->n_scales);
  if (ens_json_reader_has (reader, "flip"))
    fit->flip = ens_json_reader_boolean (reader, "flip");
  read_sizes (reader, "window_sizes", &fit->window_sizes, &fit->n_window_sizes);
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

/* ---- What the user has not given ---- */

static void
set_given (EnsPreprocess *preprocess, EnsPreprocessPart part)
{
  preprocess->certainty[part] = ENS_CERTAINTY_GIVEN;
  g_clear_pointer (&preprocess->reasons[part], g_free);
}

/* RGB ↔ BGR: a mean that was found is in the order that was found. */
static void
turn_channels (float *channels)
{
  float first = channels[0];

  channels[0] = channels[2];
  channels[2] = first;
}

/* What the user has given goes into what was found … */
static void
override (EnsPreprocess *preprocess, Network network)
{
  const EnsNormalise *given = &network.fit->normalise;
  EnsNormalise *normalise = &preprocess->normalise;

  if (network.given->order) {
    if (ens_order_channels (normalise->order) == 3 && ens_order_channels (given->order) == 3
        && normalise->order != given->order) {
      turn_channels (normalise->mean);
      turn_channels (normalise->scale);
    }
    normalise->order = given->order;
    set_given (preprocess, ENS_PREPROCESS_ORDER);
  }
  if (network.given->mean)
    memcpy (normalise->mean, given->mean, sizeof given->mean);
  if (network.given->scale)
    memcpy (normalise->scale, given->scale, sizeof given->scale);
  if (network.given->mean && network.given->scale)
    set_given (preprocess, ENS_PREPROCESS_RANGE);
  if (network.fit->size > 0) {
    preprocess->size = network.fit->size;
    set_given (preprocess, ENS_PREPROCESS_SIZE);
  }
  if (network.fit->taps != NULL) {
    g_strfreev (preprocess->taps);
    preprocess->taps = g_strdupv ((char **)network.fit->taps);
    set_given (preprocess, ENS_PREPROCESS_TAPS);
  }
}

/* … and all of it back. */
static void
adopt (const EnsPreprocess *preprocess, EnsFitNetwork *fit)
{
  fit->normalise = preprocess->normalise;
  fit->size = preprocess->size;
  g_strfreev ((char **)fit->taps);
  fit->taps = (const char *const *)g_strdupv (preprocess->taps);
}

void
tool_networks_tap (ToolNetworks *networks, const char *tap)
{
  const char *const taps[] = {tap, NULL};
  Network network = get_network (networks, networks->list->len - 1);

  if (network.fit->taps == NULL)
    network.fit->taps = (const char *const *)g_strdupv ((char **)taps);
}

static void
print_role (Network network)
{
  tool_proposal_print_line ("role", ens_role_names[network.fit->role],
                            network.given->role
                                ? "as told"
                                : "the default: it classifies windows too, which takes most of "
                                  "the time; role=original for a network of other classes");
}

gboolean
tool_networks_complete (ToolNetworks *networks, GError **error)
{
  for (guint i = 0; i < networks->list->len; i++) {
    Network network = get_network (networks, i);
    g_autoptr (EnsPreprocess) preprocess = ens_preprocess_find (network.fit->path, error);

    if (preprocess == NULL)
      return FALSE;
    override (preprocess, network);
    adopt (preprocess, network.fit);
    g_print ("%s\n", network.fit->path);
    print_role (network);
    tool_proposal_print (preprocess);
  }
  g_print ("\n");
  return TRUE;
}

gboolean
tool_networks_check_any (gboolean any, GError **error)
{
  if (!any)
    g_set_error (
        error, TOOL_ERROR_USAGE, 0,
        "networks are needed: --network=FILE.onnx, once for each, or --networks=FILE.json");
  return any;
}

ToolNetworks *
tool_networks_collect (char *const *networks, char *const *lists, GError **error)
{
  g_autoptr (ToolNetworks) list = tool_networks_new ();

  for (guint i = 0; lists != NULL && lists[i] != NULL; i++)
    if (!tool_networks_read (list, lists[i], error))
      return NULL;
  for (guint i = 0; networks != NULL && networks[i] != NULL; i++)
    if (!tool_networks_add (list, networks[i], error))
      return NULL;
  if (!tool_networks_check_any (list->list->len > 0, error)
      || !tool_networks_complete (list, error))
    return NULL;
  return g_steal_pointer (&list);
}

void
tool_networks_add_retrained (ToolNetworks *networks, const char *path)
{
  Network added = append_network (networks, g_strdup (path));
  Network first = get_network (networks, 0);

  if (!first.given->role)
    first.fit->role = ENS_ROLE_ORIGINAL;
  added.fit->normalise = first.fit->normalise;
  added.fit->size = first.fit->size;
  added.fit->framing = first.fit->framing;
  added.fit->window_framing = first.fit->window_framing;
  added.fit->crop = first.fit->crop;
  added.fit->flip = first.fit->flip;
  added.fit->taps = (const char *const *)g_strdupv ((char **)first.fit->taps);
  *added.given = (Given) {.role = TRUE};
}
