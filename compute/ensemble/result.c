/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ensemble/result.h>

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "ensemble/result-select.h"

static char **
copy_names (const char *const *names, guint n)
{
  char **copy = g_new0 (char *, n + 1);

  for (guint i = 0; i < n; i++)
    copy[i] = g_strdup (names[i]);
  return copy;
}

EnsResult *
ens_result_new (const char *const *class_names, guint n_classes, const char *const *network_names,
                guint n_networks, guint n_windows)
{
  EnsResult *result = g_new0 (EnsResult, 1);

  g_atomic_ref_count_init (&result->references);
  result->pts = G_MAXUINT64;
  result->n_classes = n_classes;
  result->n_networks = n_networks;
  result->n_windows = n_windows;
  result->class_names = copy_names (class_names, n_classes);
  result->network_names = copy_names (network_names, n_networks);
  result->classes = g_new0 (EnsClassResult, n_classes);
  result->networks = g_new0 (EnsNetworkResult, n_networks);
  result->windows = g_new0 (EnsWindow, n_windows);
  result->window_probabilities = g_new0 (float, (gsize)n_windows *n_classes);
  for (guint c = 0; c < n_classes; c++) {
    result->classes[c].name = result->class_names[c];
    result->classes[c].window = -1;
    result->classes[c].sub_image = -1;
    result->classes[c].similarity = NAN;
    result->classes[c].range_low = result->classes[c].range_high = NAN;
  }
  for (guint n = 0; n < n_networks; n++) {
    result->networks[n].name = result->network_names[n];
    result->networks[n].probabilities = g_new0 (float, n_classes);
  }
  return result;
}

void
ens_result_add_map (EnsResult *result, guint columns, guint rows)
{
  EnsProbabilityMap *map = g_new0 (EnsProbabilityMap, 1);

  g_return_if_fail (result->map == NULL);
  map->columns = columns;
  map->rows = rows;
  map->x = g_new0 (float, columns);
  map->y = g_new0 (float, rows);
  map->probabilities = g_new0 (float, (gsize)columns *rows * result->n_classes);
  result->map = map;
}

void
ens_result_add_cut (EnsResult *result, const EnsCut *cut)
{
  g_return_if_fail (result->cut == NULL);
  if (cut->windows > 0 || cut->sub_images > 0 || cut->scales > 0 || cut->frames > 0)
    result->cut = g_memdup2 (cut, sizeof *cut);
}

void
ens_result_add_embedding (EnsResult *result, guint network, guint n_values)
{
  EnsEmbedding *embedding;

  g_return_if_fail (result->embedding == NULL && network < result->n_networks);
  embedding = g_new0 (EnsEmbedding, 1);
  embedding->network = result->network_names[network];
  embedding->n_values = n_values;
  embedding->values = g_new0 (float, n_values);
  result->embedding = embedding;
}

static void
embedding_free (EnsEmbedding *embedding)
{
  if (embedding == NULL)
    return;
  g_free (embedding->values);
  g_free (embedding);
}

static void
map_free (EnsProbabilityMap *map)
{
  if (map == NULL)
    return;
  g_free (map->x);
  g_free (map->y);
  g_free (map->probabilities);
  g_free (map);
}

const EnsClassResult *
ens_result_get_class (const EnsResult *result, guint i)
{
  g_return_val_if_fail (i < result->n_classes, NULL);
  return &result->classes[i];
}

const EnsWindow *
ens_result_get_window (const EnsResult *result, guint i)
{
  g_return_val_if_fail (i < result->n_windows, NULL);
  return &result->windows[i];
}

EnsResult *
ens_result_ref (EnsResult *result)
{
  g_atomic_ref_count_inc (&result->references);
  return result;
}

void
ens_result_unref (EnsResult *result)
{
  if (!g_atomic_ref_count_dec (&result->references))
    return;
  for (guint n = 0; n < result->n_networks; n++)
    g_free (result->networks[n].probabilities);
  g_free (result->networks);
  g_free (result->classes);
  g_free (result->windows);
  g_free (result->window_probabilities);
  map_free (result->map);
  embedding_free (result->embedding);
  g_strfreev (result->class_names);
  g_strfreev (result->network_names);
  g_free (result->source);
  g_free (result->bundle);
  g_free (result->version);
  g_free (result->style);
  g_free (result->cut);
  g_free (result->regions);
  g_free (result);
}

const char *
ens_class_state_get_name (EnsClassState state)
{
  static const char *const names[] = {NULL, "unknown", "absent", "present"};

  g_return_val_if_fail ((guint)state < G_N_ELEMENTS (names), NULL);
  return names[state];
}

char *
ens_class_result_get_reason (const EnsClassResult *class_result)
{
  const char *side = class_result->similarity < class_result->range_low ? "below" : "above";

  if (!class_result->withheld)
    return NULL;
  if (isnan (class_result->similarity))
    return g_strdup ("its similarity to the class's training images is not a number");
  return g_strdup_printf ("its similarity to the class's training images, %.3g, is %s the accepted "
                          "range, %.3g to %.3g",
                          (double)class_result->similarity, side, (double)class_result->range_low,
                          (double)class_result->range_high);
}

/* ---- Ranking ---- */

/* A network that gives no number puts its classes last. */
static float
rank (const EnsClassResult *class_result)
{
  return isnan (class_result->p) ? -1 : class_result->p;
}

/* Classes of equal probability stay in the bundle's order. */
static gint
compare_probability (gconstpointer a, gconstpointer b, gpointer data)
{
  const EnsClassResult *classes = data;
  guint i = *(const guint *)a, j = *(const guint *)b;
  float first = rank (&classes[i]), second = rank (&classes[j]);

  if (first != second)
    return first > second ? -1 : 1;
  return i < j ? -1 : i > j;
}

/* Indices of all classes, the most probable first. (transfer full) */
static guint *
rank_classes (const EnsResult *result)
{
  guint *order = g_new (guint, result->n_classes);

  for (guint c = 0; c < result->n_classes; c++)
    order[c] = c;
  g_qsort_with_data (order, (gint)result->n_classes, sizeof (guint), compare_probability,
                     result->classes);
  return order;
}

static void
copy_class (EnsResult *top, guint to, const EnsResult *result, guint from)
{
  const char *name = top->classes[to].name;

  top->classes[to] = result->classes[from];
  top->classes[to].name = name;
  for (guint n = 0; n < result->n_networks; n++)
    top->networks[n].probabilities[to] = result->networks[n].probabilities[from];
  for (guint w = 0; w < result->n_windows; w++)
    top->window_probabilities[(gsize)w * top->n_classes + to] =
        result->window_probabilities[(gsize)w * result->n_classes + from];
  for (gsize s = 0; result->map != NULL && s < ens_probability_map_get_size (result->map); s++)
    top->map->probabilities[s * top->n_classes + to] =
        result->map->probabilities[s * result->n_classes + from];
}

/* The sub-images, without their probabilities. */
static void
copy_geometry (EnsResult *top, const EnsProbabilityMap *map)
{
  ens_result_add_map (top, map->columns, map->rows);
  memcpy (top->map->x, map->x, map->columns * sizeof *map->x);
  memcpy (top->map->y, map->y, map->rows * sizeof *map->y);
  top->map->width = map->width;
  top->map->height = map->height;
}

static void
copy_embedding (EnsResult *copy, const EnsResult *result)
{
  const EnsEmbedding *embedding = result->embedding;
  guint network = 0;

  while (result->network_names[network] != embedding->network)
    network++;
  ens_result_add_embedding (copy, network, embedding->n_values);
  memcpy (copy->embedding->values, embedding->values,
          embedding->n_values * sizeof *embedding->values);
}

EnsResult *
ens_result_select (const EnsResult *result, const guint *classes, guint n)
{
  g_autofree const char **names = g_new (const char *, n + 1);
  EnsResult *copy;

  for (guint i = 0; i < n; i++)
    names[i] = result->classes[classes[i]].name;
  copy = ens_result_new (names, n, (const char *const *)result->network_names, result->n_networks,
                         result->n_windows);
  if (result->map != NULL)
    copy_geometry (copy, result->map);
  for (guint i = 0; i < n; i++)
    copy_class (copy, i, result, classes[i]);
  for (guint w = 0; w < result->n_windows; w++)
    copy->windows[w] = result->windows[w];
  copy->pts = result->pts;
  copy->source = g_strdup (result->source);
  copy->width = result->width;
  copy->height = result->height;
  copy->bundle = g_strdup (result->bundle);
  copy->version = g_strdup (result->version);
  copy->style = g_strdup (result->style);
  if (result->regions != NULL)
    copy->regions = g_memdup2 (result->regions, result->n_windows * sizeof *result->regions);
  copy->reused = result->reused;
  if (result->cut != NULL)
    ens_result_add_cut (copy, result->cut);
  if (result->embedding != NULL)
    copy_embedding (copy, result);
  copy->timings = result->timings;
  return copy;
}

EnsResult *
ens_result_top (EnsResult *result, guint top_k)
{
  g_autofree guint *order = NULL;

  if (top_k == 0 || top_k >= result->n_classes)
    return ens_result_ref (result);
  order = rank_classes (result);
  return ens_result_select (result, order, top_k);
}

/* ---- JSON ---- */

/* What is listed: class and window indices, in the text's order. */
typedef struct {
  guint *classes;
  guint n_classes;
  guint *windows;
  guint n_windows;
} Listing;

static guint
window_position (const Listing *listing, guint window)
{
  guint i = 0;

  while (i < listing->n_windows && listing->windows[i] != window)
    i++;
  return i;
}

static void
choose (const EnsResult *result, guint top_k, Listing *listing)
{
  guint n_given = result->regions != NULL ? result->n_windows : 0;

  *listing = (Listing) {.classes = rank_classes (result)};
  listing->n_classes = top_k > 0 ? MIN (top_k, result->n_classes) : result->n_classes;
  listing->windows = g_new (guint, MAX (listing->n_classes, n_given));
  for (guint w = 0; w < n_given; w++)
    listing->windows[listing->n_windows++] = w;
  for (guint i = 0; i < listing->n_classes; i++) {
    gint window = result->classes[listing->classes[i]].window;

    if (window >= 0 && window_position (listing, (guint)window) == listing->n_windows)
      listing->windows[listing->n_windows++] = (guint)window;
  }
}

/* What the gate says of the class, if it has anything to say. */
static void
write_gate (EnsJson *json, const EnsClassResult *class)
{
  g_autofree char *reason = ens_class_result_get_reason (class);

  if (isnan (class->range_low))
    return;
  ens_json_float (json, "similarity", class->similarity);
  ens_json_floats (json, "range", (float[]) {class->range_low, class->range_high}, 2, 1);
  ens_json_boolean (json, "withheld", class->withheld);
  if (reason != NULL)
    ens_json_string (json, "reason", reason);
}

static void
write_classes (EnsJson *json, const EnsResult *result, const Listing *listing)
{
  ens_json_open_array (json, "classes", ENS_JSON_FLAT);
  for (guint i = 0; i < listing->n_classes; i++) {
    const EnsClassResult *class = &result->classes[listing->classes[i]];

    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "name", class->name);
    ens_json_float (json, "p", class->p);
    ens_json_float (json, "p1", class->p1);
    ens_json_float (json, "p2", class->p2);
    if (class->window >= 0) {
      ens_json_float (json, "p3", class->p3);
      ens_json_unsigned (json, "window", window_position (listing, (guint) class->window));
    }
    if (class->sub_image >= 0)
      ens_json_integer (json, "sub_image", class->sub_image);
    ens_json_float (json, "threshold", class->threshold);
    ens_json_boolean (json, "present", class->present);
    if (class->state != ENS_CLASS_NO_STATE) {
      ens_json_float (json, "smoothed", class->smoothed);
      ens_json_string (json, "state", ens_class_state_get_name (class->state));
    }
    write_gate (json, class);
    ens_json_close (json);
  }
  ens_json_close (json);
}

static void
write_probabilities (EnsJson *json, const float *probabilities, const Listing *listing)
{
  ens_json_open_array (json, "probabilities", ENS_JSON_FLAT);
  for (guint i = 0; i < listing->n_classes; i++)
    ens_json_float (json, NULL, probabilities[listing->classes[i]]);
  ens_json_close (json);
}

static void
write_networks (EnsJson *json, const EnsResult *result, const Listing *listing)
{
  ens_json_open_array (json, "networks", ENS_JSON_FLAT);
  for (guint n = 0; n < result->n_networks; n++) {
    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    ens_json_string (json, "name", result->networks[n].name);
    write_probabilities (json, result->networks[n].probabilities, listing);
    ens_json_close (json);
  }
  ens_json_close (json);
}

/* Which region of another element a window is. */
static void
write_origin (EnsJson *json, const EnsRegionOrigin *origin)
{
  if (origin->type != NULL)
    ens_json_string (json, "type", origin->type);
  if (origin->id >= 0)
    ens_json_integer (json, "id", origin->id);
}

static void
write_windows (EnsJson *json, const EnsResult *result, const Listing *listing)
{
  ens_json_open_array (json, "windows", ENS_JSON_FLAT);
  for (guint i = 0; i < listing->n_windows; i++) {
    guint w = listing->windows[i];
    const EnsRect *rect = &result->windows[w].rect;

    ens_json_open_object (json, NULL, ENS_JSON_FLAT);
    if (result->regions != NULL)
      write_origin (json, &result->regions[w]);
    ens_json_float (json, "x", rect->x);
    ens_json_float (json, "y", rect->y);
    ens_json_float (json, "width", rect->width);
    ens_json_float (json, "height", rect->height);
    write_probabilities (json, &result->window_probabilities[(gsize)w * result->n_classes],
                         listing);
    ens_json_close (json);
  }
  ens_json_close (json);
}

static void
write_map (EnsJson *json, const EnsResult *result, const Listing *listing)
{
  const EnsProbabilityMap *map = result->map;
  gsize row_size = (gsize)map->columns * result->n_classes;

  ens_json_open_object (json, "map", ENS_JSON_FLAT);
  ens_json_unsigned (json, "columns", map->columns);
  ens_json_unsigned (json, "rows", map->rows);
  ens_json_floats (json, "x", map->x, map->columns, 1);
  ens_json_floats (json, "y", map->y, map->rows, 1);
  ens_json_float (json, "width", map->width);
  ens_json_float (json, "height", map->height);
  ens_json_open_object (json, "classes", ENS_JSON_FLAT);
  for (guint i = 0; i < listing->n_classes; i++) {
    guint c = listing->classes[i];

    ens_json_open_array (json, result->classes[c].name, ENS_JSON_FLAT);
    for (guint row = 0; row < map->rows; row++)
      ens_json_floats (json, NULL, &map->probabilities[row * row_size + c], map->columns,
                       result->n_classes);
    ens_json_close (json);
  }
  ens_json_close (json);
  ens_json_close (json);
}

static void
write_cut (EnsJson *json, const EnsCut *cut)
{
  ens_json_open_object (json, "cut", ENS_JSON_FLAT);
  ens_json_unsigned (json, "windows", cut->windows);
  ens_json_unsigned (json, "sub_images", cut->sub_images);
  ens_json_unsigned (json, "scales", cut->scales);
  ens_json_unsigned (json, "frames", cut->frames);
  ens_json_close (json);
}

static void
write_embedding (EnsJson *json, const EnsEmbedding *embedding)
{
  ens_json_open_object (json, "embedding", ENS_JSON_FLAT);
  ens_json_string (json, "network", embedding->network);
  ens_json_floats (json, "values", embedding->values, embedding->n_values, 1);
  ens_json_close (json);
}

static void
write_timings (EnsJson *json, const EnsTimings *timings)
{
  ens_json_open_object (json, "timings", ENS_JSON_FLAT);
  ens_json_integer (json, "windows", timings->windows);
  ens_json_integer (json, "prepare", timings->prepare);
  ens_json_integer (json, "networks", timings->networks);
  ens_json_integer (json, "total", timings->total);
  ens_json_integer (json, "cpu", timings->cpu);
  ens_json_close (json);
}

char *
ens_result_to_json (const EnsResult *result, guint top_k)
{
  EnsJson json;
  Listing listing;

  choose (result, top_k, &listing);
  ens_json_init (&json);
  ens_json_open_object (&json, NULL, ENS_JSON_FLAT);
  ens_json_string (&json, "schema", ENS_RESULT_SCHEMA);
  if (result->source != NULL)
    ens_json_string (&json, "source", result->source);
  if (result->pts != G_MAXUINT64)
    ens_json_unsigned (&json, "pts", result->pts);
  ens_json_unsigned (&json, "width", result->width);
  ens_json_unsigned (&json, "height", result->height);
  ens_json_string (&json, "bundle", result->bundle);
  ens_json_string (&json, "version", result->version);
  if (result->style != NULL)
    ens_json_string (&json, "style", result->style);
  if (result->reused > 0)
    ens_json_unsigned (&json, "reused", result->reused);
  if (result->cut != NULL)
    write_cut (&json, result->cut);
  write_classes (&json, result, &listing);
  write_networks (&json, result, &listing);
  if (result->n_windows > 0)
    write_windows (&json, result, &listing);
  if (result->map != NULL)
    write_map (&json, result, &listing);
  if (result->embedding != NULL)
    write_embedding (&json, result->embedding);
  write_timings (&json, &result->timings);
  ens_json_close (&json);
  g_free (listing.classes);
  g_free (listing.windows);
  return ens_json_finish (&json);
}
