/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/fit-features.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "ensemble/bundle-private.h"
#include "ensemble/member.h"
#include "train/features.h"
#include "train/images.h"

/* Part of every configuration: to be raised when sampling, selective search or the graphs of
 * members come to give other features. */
#define FEATURES_VERSION 1

/* Training and validation, which fitting is about: the first ones. */
#define N_FITTED 2
/* The data set's splits and unrelated images. */
#define N_SETS (ENS_N_SPLITS + 1)

typedef struct {
  EnsMember *member;
  EnsMemberJobs *jobs;
  EnsFeatureStore *whole;           /* one of the stores */
  EnsFeatureStore *windows[N_SETS]; /* likewise; NULL: takes none */
} Network;

/* Images of a split that could be read, in order. */
typedef struct {
  GPtrArray *items; /* EnsDatasetItem, which are the data set's */
  GArray *keys;     /* EnsImageKey */
  GArray *labels;   /* guint8 */
  EnsLabels truth;
  guint n_broken;
} Split;

struct _EnsFitFeatures {
  const EnsFitSource *source;
  EnsWindowSearch *search;
  GHashTable *stores; /* configuration → EnsFeatureStore; networks that are alike share them */
  EnsFeatureStore *sizes; /* one of the stores: width and height of images, in pixels */
  EnsFeatureStore *looks; /* one of the stores: ens_picture_hash_shrink () of images */
  Network *networks;
  Split splits[N_SETS];
};

static guint
count_windows (const EnsFitSource *source, EnsSplit split)
{
  if (split >= N_FITTED)
    return 0;
  return split == ENS_SPLIT_TRAIN ? MIN (source->bundle->windows, ENS_FIT_TRAINING_WINDOWS)
                                  : source->bundle->windows;
}

/* ---- Stores ---- */

static void
append_sides (GString *text, const guint *sides, guint n)
{
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, " %u", sides[i]);
}

/* Only what is unusual, so that features kept earlier stay good. */
static void
append_framing (GString *text, const EnsBundleNetwork *settings)
{
  if (!ens_bundle_network_is_plainly_framed (settings))
    g_string_append_printf (text, "framing %d %d %a\n", settings->framing, settings->window_framing,
                            (double)settings->crop);
}

/* All that a network's features depend on but the image. (transfer full) */
static GString *
describe_network (const EnsFitSource *source, guint n)
{
  const EnsBundleNetwork *settings = &source->bundle->networks[n];
  g_autofree char *digest = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, source->contents[n]);
  g_autofree char *taps = g_strjoinv (" ", settings->taps);
  const EnsNormalise *normalise = &settings->normalise;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "features %d\nnetwork %s\ntaps %s\nsize %u\norder %d\n",
                          FEATURES_VERSION, digest, taps, settings->size, normalise->order);
  for (guint c = 0; c < ens_order_channels (normalise->order); c++)
    g_string_append_printf (text, "channel %a %a\n", (double)normalise->mean[c],
                            (double)normalise->scale[c]);
  append_framing (text, settings);
  return text;
}

/* Takes the configuration over. (transfer none) */
static EnsFeatureStore *
open_store (EnsFitFeatures *features, char *configuration, guint length, GError **error)
{
  EnsFeatureStore *store = g_hash_table_lookup (features->stores, configuration);

  if (store == NULL) {
    store = ens_feature_store_open_part (features->source->cache, features->source->part,
                                         configuration, length, error);
    if (store != NULL)
      g_hash_table_insert (features->stores, g_strdup (configuration), store);
  }
  g_free (configuration);
  return store;
}

static EnsFeatureStore *
open_whole (EnsFitFeatures *features, guint n, guint length, GError **error)
{
  const EnsBundleNetwork *settings = &features->source->bundle->networks[n];
  GString *text = describe_network (features->source, n);

  g_string_append (text, "whole");
  append_sides (text, settings->scales, settings->n_scales);
  if (settings->flip)
    g_string_append (text, "\nflip");
  return open_store (features, g_string_free (text, FALSE), length, error);
}

static EnsFeatureStore *
open_windows (EnsFitFeatures *features, guint n, guint n_windows, guint length, GError **error)
{
  const EnsBundle *bundle = features->source->bundle;
  const EnsBundleNetwork *settings = &bundle->networks[n];
  GString *text = describe_network (features->source, n);

  g_string_append (text, "windows");
  append_sides (text, settings->window_sizes, settings->n_window_sizes);
  g_string_append_printf (text, "\n%s %u of %u", ens_windows_preset_name (bundle->windows_preset),
                          n_windows, bundle->windows);
  return open_store (features, g_string_free (text, FALSE), length, error);
}

/* Of no network, but configured by the first: two trainings that don't share features don't have to
 * wait for each other. */
static EnsFeatureStore *
open_of_images (EnsFitFeatures *features, const char *what, guint length, GError **error)
{
  GString *text = describe_network (features->source, 0);

  g_string_append (text, what);
  return open_store (features, g_string_free (text, FALSE), length, error);
}

static gboolean
open_network (EnsFitFeatures *features, guint n, GError **error)
{
  const EnsFitSource *source = features->source;
  const EnsBundleNetwork *settings = &source->bundle->networks[n];
  Network *network = &features->networks[n];
  guint length;

  network->member =
      ens_member_new (&(EnsMemberSource) {.settings = settings, .network = source->networks[n]},
                      source->device, error);
  if (network->member == NULL)
    return FALSE;
  network->jobs = ens_member_jobs_new (network->member);
  length = ens_member_get_width (network->member);
  network->whole = open_whole (features, n, length, error);
  if (network->whole == NULL)
    return FALSE;
  for (guint s = 0; s < N_FITTED && ens_member_takes_windows (network->member); s++) {
    network->windows[s] = open_windows (features, n, count_windows (source, s), length, error);
    if (network->windows[s] == NULL)
      return FALSE;
  }
  return TRUE;
}

EnsFitFeatures *
ens_fit_features_new (const EnsFitSource *source, GError **error)
{
  g_autoptr (EnsFitFeatures) features = g_new0 (EnsFitFeatures, 1);

  features->source = source;
  features->search = ens_window_search_new (source->bundle->windows_preset);
  features->stores = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                            (GDestroyNotify)ens_feature_store_close);
  features->networks = g_new0 (Network, source->bundle->n_networks);
  for (guint s = 0; s < N_SETS; s++) {
    features->splits[s].items = g_ptr_array_new ();
    features->splits[s].keys = g_array_new (FALSE, FALSE, sizeof (EnsImageKey));
    features->splits[s].labels = g_array_new (FALSE, FALSE, sizeof (guint8));
  }
  for (guint n = 0; n < source->bundle->n_networks; n++)
    if (!open_network (features, n, error))
      return NULL;
  features->sizes = open_of_images (features, "image size", 2, error);
  if (features->sizes == NULL)
    return NULL;
  features->looks = open_of_images (features, "image look", ENS_PICTURE_HASH_PIXELS, error);
  if (features->looks == NULL)
    return NULL;
  return g_steal_pointer (&features);
}

void
ens_fit_features_free (EnsFitFeatures *features)
{
  if (features == NULL)
    return;
  for (guint n = 0; n < features->source->bundle->n_networks; n++) {
    ens_member_jobs_free (features->networks[n].jobs);
    ens_member_free (features->networks[n].member);
  }
  for (guint s = 0; s < N_SETS; s++) {
    g_ptr_array_unref (features->splits[s].items);
    g_array_unref (features->splits[s].keys);
    g_array_unref (features->splits[s].labels);
  }
  g_hash_table_unref (features->stores);
  ens_window_search_free (features->search);
  g_free (features->networks);
  g_free (features);
}

/* ---- Filling ---- */

/* A split whose features are being collected. */
typedef struct {
  EnsFitFeatures *features;
  EnsSplit split;
  guint n_seen;    /* images */
  EnsImageKey key; /* of the image at hand */
} Filling;

static gboolean
has_look (const Filling *filling)
{
  return ens_feature_store_has (filling->features->sizes, &filling->key)
         && ens_feature_store_has (filling->features->looks, &filling->key);
}

static gboolean
has_all (const Filling *filling)
{
  for (guint n = 0; n < filling->features->source->bundle->n_networks; n++) {
    const Network *network = &filling->features->networks[n];
    EnsFeatureStore *windows = network->windows[filling->split];

    if (!ens_feature_store_has (network->whole, &filling->key)
        || (windows != NULL && !ens_feature_store_has (windows, &filling->key)))
      return FALSE;
  }
  return has_look (filling);
}

/* Of the image at hand. FALSE if it can't be read: reading the picture will say what is wrong. */
static gboolean
set_key (Filling *filling, const EnsDatasetItem *item)
{
  gsize size;
  g_autofree char *contents = ens_file_read (item->path, &size, NULL);

  if (contents == NULL)
    return FALSE;
  filling->key = ens_image_key (contents, size);
  return TRUE;
}

/* Of the next image. */
static gboolean
is_in_share (Filling *filling)
{
  const EnsFitShare *share = &filling->features->source->share;
  guint i = filling->n_seen++;

  return share->n == 0 || i % share->n == share->index;
}

static gboolean
needs_picture (const EnsDatasetItem *item, gpointer data)
{
  Filling *filling = data;

  return is_in_share (filling) && (!set_key (filling, item) || !has_all (filling));
}

static gboolean
needs_look (const EnsDatasetItem *item, gpointer data)
{
  Filling *filling = data;

  return !set_key (filling, item) || !has_look (filling);
}

static gboolean
add_size (const Filling *filling, const EnsFrame *frame, GError **error)
{
  const float size[] = {(float)frame->width, (float)frame->height};

  return ens_feature_store_has (filling->features->sizes, &filling->key)
         || ens_feature_store_append (filling->features->sizes, &filling->key, size, 1, error);
}

static gboolean
add_look (const Filling *filling, const EnsFrame *frame, GError **error)
{
  EnsFitFeatures *features = filling->features;
  float pixels[ENS_PICTURE_HASH_PIXELS];

  if (ens_feature_store_has (features->looks, &filling->key))
    return TRUE;
  ens_picture_hash_shrink (frame, ens_device_get_pool (features->source->device), pixels);
  return ens_feature_store_append (features->looks, &filling->key, pixels, 1, error);
}

static gboolean
add_whole (const Filling *filling, guint n, const EnsFrame *frame, GError **error)
{
  Network *network = &filling->features->networks[n];
  const EnsBundleNetwork *settings = &filling->features->source->bundle->networks[n];
  g_autofree float *row = g_new (float, ens_member_get_width (network->member));
  const EnsMemberImages image = {frame, &ENS_RECT_WHOLE, 1, settings->scales, settings->n_scales};

  return ens_feature_store_has (network->whole, &filling->key)
         || (ens_member_jobs_run_whole (network->jobs, &image, row, error)
             && ens_feature_store_append (network->whole, &filling->key, row, 1, error));
}

static gboolean
add_windows (const Filling *filling, guint n, const EnsFrame *frame, const GArray *windows,
             GError **error)
{
  Network *network = &filling->features->networks[n];
  EnsFeatureStore *store = network->windows[filling->split];
  gsize width = ens_member_get_width (network->member);
  g_autofree float *rows = NULL;

  if (store == NULL || ens_feature_store_has (store, &filling->key))
    return TRUE;
  rows = g_new (float, windows->len *width);
  return ens_member_jobs_run_windows (
             network->jobs,
             &(EnsMemberImages) {frame, (const EnsRect *)windows->data, windows->len}, rows, error)
         && ens_feature_store_append (store, &filling->key, rows, windows->len, error);
}

/* (transfer full) */
static GArray *
find_windows (const Filling *filling, const EnsFrame *frame)
{
  const EnsFitSource *source = filling->features->source;
  GArray *rects = g_array_new (FALSE, FALSE, sizeof (EnsRect));
  const EnsWindow *windows;
  guint n = 0;

  if (count_windows (source, filling->split) > 0)
    n = ens_window_search_run (filling->features->search, frame, source->bundle->windows,
                               ens_device_get_pool (source->device), &windows);
  for (guint w = 0; w < MIN (n, count_windows (source, filling->split)); w++)
    g_array_append_val (rects, windows[w].rect);
  return rects;
}

static gboolean
extract_features (const Filling *filling, const EnsFrame *frame, GError **error)
{
  g_autoptr (GArray) windows = find_windows (filling, frame);

  for (guint n = 0; n < filling->features->source->bundle->n_networks; n++)
    if (!add_whole (filling, n, frame, error) || !add_windows (filling, n, frame, windows, error))
      return FALSE;
  return add_size (filling, frame, error) && add_look (filling, frame, error);
}

static void
keep_image (Split *split, const EnsDatasetItem *item, const Filling *filling)
{
  g_ptr_array_add (split->items, (gpointer)item);
  g_array_append_val (split->keys, filling->key);
  g_array_append_vals (split->labels, item->labels, filling->features->source->bundle->n_classes);
}

static gboolean
add_image (const EnsDatasetItem *item, const EnsPicture *picture, gpointer data, GError **error)
{
  const Filling *filling = data;
  Split *split = &filling->features->splits[filling->split];

  if (picture != NULL && !extract_features (filling, &picture->frame, error)) {
    g_prefix_error (error, "%s: ", item->path);
    return FALSE;
  }
  keep_image (split, item, filling);
  return TRUE;
}

static gboolean
look_at_image (const EnsDatasetItem *item, const EnsPicture *picture, gpointer data, GError **error)
{
  const Filling *filling = data;

  keep_image (&filling->features->splits[filling->split], item, filling);
  return picture == NULL
         || (add_size (filling, &picture->frame, error)
             && add_look (filling, &picture->frame, error));
}

static gboolean
fill_split (Filling *filling, const EnsDataset *dataset, const char *stage,
            const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  Split *split = &filling->features->splits[filling->split];
  EnsSplit source = filling->split == ENS_FIT_UNRELATED ? ENS_SPLIT_TEST : filling->split;

  if (!ens_images_foreach (&(EnsImages) {.dataset = dataset,
                                         .split = source,
                                         .opener = opener,
                                         .monitor = monitor,
                                         .stage = stage,
                                         .needs = needs_picture,
                                         .each = add_image,
                                         .data = filling},
                           &split->n_broken, error))
    return FALSE;
  split->truth =
      (EnsLabels) {split->keys->len, dataset->n_classes, (const guint8 *)split->labels->data};
  return TRUE;
}

gboolean
ens_fit_features_fill (EnsFitFeatures *features, const EnsDataset *dataset,
                       const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  static const char *const stages[N_FITTED] = {"extracting features of training images",
                                               "extracting features of validation images"};

  for (guint s = 0; s < N_FITTED; s++) {
    Filling filling = {.features = features, .split = s};

    if (!fill_split (&filling, dataset, stages[s], opener, monitor, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
ens_fit_features_look (EnsFitFeatures *features, const EnsDataset *dataset,
                       const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  Split *split = &features->splits[ENS_SPLIT_TEST];
  Filling filling = {.features = features, .split = ENS_SPLIT_TEST};
  g_autoptr (GError) reason = NULL;

  if (dataset->samples[ENS_SPLIT_TEST]->len == 0
      || ens_images_foreach (&(EnsImages) {.dataset = dataset,
                                           .split = ENS_SPLIT_TEST,
                                           .opener = opener,
                                           .monitor = monitor,
                                           .stage = "looking at test images",
                                           .needs = needs_look,
                                           .each = look_at_image,
                                           .data = &filling},
                             &split->n_broken, &reason))
    return TRUE;
  if (!g_error_matches (reason, ENS_ERROR, ENS_ERROR_DATA)) {
    g_propagate_error (error, g_steal_pointer (&reason));
    return FALSE;
  }
  ens_monitor_note (monitor, "%s", reason->message);
  return TRUE;
}

gboolean
ens_fit_features_fill_unrelated (EnsFitFeatures *features, const EnsDataset *unrelated,
                                 const EnsFrameOpener *opener, const EnsMonitor *monitor,
                                 GError **error)
{
  Filling filling = {.features = features, .split = ENS_FIT_UNRELATED};

  return fill_split (&filling, unrelated, "extracting features of unrelated images", opener,
                     monitor, error);
}

/* ---- Reading ---- */

const EnsLabels *
ens_fit_features_get_truth (const EnsFitFeatures *features, EnsSplit split)
{
  g_return_val_if_fail (split < N_SETS, NULL);
  return &features->splits[split].truth;
}

guint
ens_fit_features_get_n_broken (const EnsFitFeatures *features, EnsSplit split)
{
  g_return_val_if_fail (split < N_SETS, 0);
  return features->splits[split].n_broken;
}

guint
ens_fit_features_get_length (const EnsFitFeatures *features, guint network)
{
  return ens_member_get_width (features->networks[network].member);
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  return *(const float *)a < *(const float *)b ? -1 : *(const float *)a > *(const float *)b;
}

gboolean
ens_fit_features_read_side (EnsFitFeatures *features, EnsSplit split, float *side, GError **error)
{
  const GArray *keys = features->splits[split].keys;
  g_autofree float *sides = g_new (float, keys->len);

  for (guint i = 0; i < keys->len; i++) {
    guint n_rows;
    g_autofree float *size = ens_feature_store_read (
        features->sizes, &g_array_index (keys, EnsImageKey, i), &n_rows, error);

    if (size == NULL)
      return FALSE;
    sides[i] = sqrtf (size[0] * size[1]);
  }
  qsort (sides, keys->len, sizeof *sides, compare_floats);
  *side = sides[keys->len / 2];
  return TRUE;
}

guint
ens_fit_features_get_n_images (const EnsFitFeatures *features, EnsSplit split)
{
  return features->splits[split].keys->len;
}

gboolean
ens_fit_features_read_look (EnsFitFeatures *features, EnsSplit split, guint image, EnsFitLook *look,
                            GError **error)
{
  const EnsImageKey *key = &g_array_index (features->splits[split].keys, EnsImageKey, image);
  guint n_rows;
  g_autofree float *size = ens_feature_store_read (features->sizes, key, &n_rows, error);
  g_autofree float *pixels =
      size != NULL ? ens_feature_store_read (features->looks, key, &n_rows, error) : NULL;

  if (pixels == NULL)
    return FALSE;
  look->item = features->splits[split].items->pdata[image];
  look->key = *key;
  look->width = (guint)size[0];
  look->height = (guint)size[1];
  memcpy (look->pixels, pixels, sizeof look->pixels);
  return TRUE;
}

float *
ens_fit_features_read_whole (EnsFitFeatures *features, guint network, EnsSplit split,
                             GError **error)
{
  const GArray *keys = features->splits[split].keys;
  guint length = ens_fit_features_get_length (features, network);
  g_autofree float *rows = g_new (float, (gsize)keys->len *length);

  for (guint i = 0; i < keys->len; i++) {
    guint n_rows;
    g_autofree float *row = ens_feature_store_read (
        features->networks[network].whole, &g_array_index (keys, EnsImageKey, i), &n_rows, error);

    if (row == NULL)
      return NULL;
    memcpy (&rows[(gsize)i * length], row, length * sizeof *row);
  }
  return g_steal_pointer (&rows);
}

float *
ens_fit_features_read_windows (EnsFitFeatures *features, guint network, EnsSplit split, guint image,
                               guint *n_windows, GError **error)
{
  return ens_feature_store_read (features->networks[network].windows[split],
                                 &g_array_index (features->splits[split].keys, EnsImageKey, image),
                                 n_windows, error);
}
