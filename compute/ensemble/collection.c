/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/collection.h"

#include <math.h>
#include <string.h>

#include "ensemble/frame-crop.h"

/* What reasons are worth. A frame is uncertain within this share of the way from a threshold to 0
 * or 1, and different from this many bits of a hash on; half of them differ by chance. */
#define VALUE_CHANGED 1.0F
#define VALUE_WITHHELD 0.9F
#define VALUE_UNCERTAIN 0.8F
#define VALUE_DIFFERENT 0.4F
#define UNCERTAIN_MARGIN 0.25F
#define DIFFERENT_BITS 20
#define CHANCE_BITS 32

const char *const ens_collect_reason_names[] = {"not",       "changed",   "withheld",
                                                "uncertain", "different", NULL};

struct _EnsCollection {
  GArray *kept;       /* EnsCollected */
  GHashTable *states; /* EnsClassState by class name, of the frame before, where one was known */
};

static void
clear_collected (gpointer data)
{
  g_free (((EnsCollected *)data)->name);
}

EnsCollection *
ens_collection_new (void)
{
  EnsCollection *collection = g_new0 (EnsCollection, 1);

  collection->kept = g_array_new (FALSE, FALSE, sizeof (EnsCollected));
  g_array_set_clear_func (collection->kept, clear_collected);
  collection->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return collection;
}

void
ens_collection_free (EnsCollection *collection)
{
  g_array_unref (collection->kept);
  g_hash_table_unref (collection->states);
  g_free (collection);
}

const EnsCollected *
ens_collection_get (const EnsCollection *collection, guint i)
{
  return &g_array_index (collection->kept, EnsCollected, i);
}

guint
ens_collection_get_n (const EnsCollection *collection)
{
  return collection->kept->len;
}

/* ---- Reasons ---- */

static void
take_reason (EnsCollectLook *look, EnsCollectReason reason, guint class, float value)
{
  if (value <= look->value)
    return;
  look->reason = reason;
  look->class = class;
  look->value = value;
}

/* 0 at the threshold, 1 as far from it as can be. */
static float
margin_of (const EnsClassResult *class)
{
  return class->p < class->threshold
             ? (class->threshold - class->p) / class->threshold
             : (class->p - class->threshold) / fmaxf (1 - class->threshold, 1e-6F);
}

static gboolean
has_changed (const EnsCollection *collection, const EnsResult *result, guint class)
{
  const EnsClassResult *found = &result->classes[class];
  gpointer before;

  return found->state > ENS_CLASS_UNKNOWN
         && g_hash_table_lookup_extended (collection->states, found->name, NULL, &before)
         && (EnsClassState)GPOINTER_TO_INT (before) != found->state;
}

gboolean
ens_collection_changes (const EnsCollection *collection, const EnsResult *result)
{
  for (guint c = 0; c < result->n_classes; c++)
    if (has_changed (collection, result, c))
      return TRUE;
  return FALSE;
}

static gboolean
is_unknown (gpointer name, gpointer state, gpointer data)
{
  const EnsResult *result = data;

  for (guint c = 0; c < result->n_classes; c++)
    if (strcmp (result->classes[c].name, name) == 0)
      return result->classes[c].state <= ENS_CLASS_UNKNOWN;
  return TRUE;
}

void
ens_collection_pass (EnsCollection *collection, const EnsResult *result)
{
  g_hash_table_foreach_remove (collection->states, is_unknown, (gpointer)result);
}

static void
keep_states (EnsCollection *collection, const EnsResult *result)
{
  g_hash_table_remove_all (collection->states);
  for (guint c = 0; c < result->n_classes; c++)
    if (result->classes[c].state > ENS_CLASS_UNKNOWN)
      g_hash_table_insert (collection->states, g_strdup (result->classes[c].name),
                           GINT_TO_POINTER (result->classes[c].state));
}

static void
find_reason (const EnsCollection *collection, const EnsResult *result, EnsCollectLook *look)
{
  for (guint c = 0; c < result->n_classes; c++) {
    const EnsClassResult *class = &result->classes[c];

    if (has_changed (collection, result, c))
      take_reason (look, ENS_COLLECT_CHANGED, c, VALUE_CHANGED);
    if (class->withheld)
      take_reason (look, ENS_COLLECT_WITHHELD, c, VALUE_WITHHELD);
    if (!isnan (class->p) && margin_of (class) < UNCERTAIN_MARGIN)
      take_reason (look, ENS_COLLECT_UNCERTAIN, c,
                   VALUE_UNCERTAIN * (1 - margin_of (class) / UNCERTAIN_MARGIN / 2));
  }
}

static guint
most_probable (const EnsResult *result)
{
  guint best = 0;

  for (guint c = 1; c < result->n_classes; c++)
    if (result->classes[c].p > result->classes[best].p)
      best = c;
  return best;
}

/* In how many bits the nearest of what is kept differs. */
static guint
find_nearest (const EnsCollection *collection, guint64 hash)
{
  guint nearest = 64;

  for (guint i = 0; i < collection->kept->len; i++) {
    const guint bits =
        (guint)__builtin_popcountll (ens_collection_get (collection, i)->hash ^ hash);

    nearest = MIN (nearest, bits);
  }
  return nearest;
}

/* What is to be kept of the frame for a class. */
static EnsRect
choose_rect (const EnsResult *result, guint class, gboolean crops)
{
  const gint window = result->classes[class].window;

  return crops && window >= 0 ? result->windows[window].rect : ENS_RECT_WHOLE;
}

EnsCollectLook
ens_collection_look (EnsCollection *collection, const EnsFrame *frame, gboolean crops,
                     const EnsResult *result)
{
  EnsCollectLook look = {.class = most_probable (result)};
  float pixels[ENS_PICTURE_HASH_PIXELS];
  EnsFramePart part;
  EnsPictureHash hash;
  EnsFrame kept;
  guint nearest;

  find_reason (collection, result, &look);
  keep_states (collection, result);
  look.rect = choose_rect (result, look.class, crops);
  part = ens_frame_crop_find_part (&look.rect, frame->width, frame->height);
  kept = ens_frame_cut (frame, &part);
  ens_picture_hash_shrink (&kept, NULL, pixels);
  ens_picture_hash_init (&hash, pixels);
  look.hash = hash.bits;
  nearest = find_nearest (collection, hash.bits);
  if (nearest >= DIFFERENT_BITS && look.reason == ENS_COLLECT_NOT)
    take_reason (&look, ENS_COLLECT_DIFFERENT, look.class, VALUE_DIFFERENT);
  if (nearest <= ENS_NEAR_COPY_BITS)
    look = (EnsCollectLook) {.rect = look.rect, .hash = look.hash};
  look.value *= (float)MIN (nearest, CHANCE_BITS) / CHANCE_BITS;
  return look;
}

/* ---- Room ---- */

void
ens_collection_add (EnsCollection *collection, const char *name, float value, guint64 hash,
                    guint64 bytes)
{
  const EnsCollected added = {g_strdup (name), value, hash, bytes};

  g_array_append_val (collection->kept, added);
}

void
ens_collection_remove (EnsCollection *collection, const char *name)
{
  for (guint i = 0; i < collection->kept->len; i++) {
    if (strcmp (ens_collection_get (collection, i)->name, name) != 0)
      continue;
    g_array_remove_index (collection->kept, i);
    return;
  }
}

/* What goes first comes first. */
static gint
compare_collected (gconstpointer a, gconstpointer b)
{
  const EnsCollected *one = *(const EnsCollected *const *)a;
  const EnsCollected *other = *(const EnsCollected *const *)b;

  if (one->value != other->value)
    return one->value < other->value ? -1 : 1;
  return strcmp (one->name, other->name);
}

/* (transfer container) */
static GPtrArray *
sort_kept (const EnsCollection *collection, guint64 *bytes)
{
  GPtrArray *sorted = g_ptr_array_new ();

  *bytes = 0;
  for (guint i = 0; i < collection->kept->len; i++) {
    EnsCollected *kept = &g_array_index (collection->kept, EnsCollected, i);

    *bytes += kept->bytes;
    g_ptr_array_add (sorted, kept);
  }
  g_ptr_array_sort (sorted, compare_collected);
  return sorted;
}

gboolean
ens_collection_find_room (const EnsCollection *collection, guint max_n, guint64 max_bytes,
                          float value, guint64 bytes, GPtrArray *goes)
{
  guint64 total;
  g_autoptr (GPtrArray) sorted = sort_kept (collection, &total);
  guint n = 0;

  total += bytes;
  for (; (max_n > 0 && sorted->len - n >= max_n) || (max_bytes > 0 && total > max_bytes); n++) {
    const EnsCollected *least = n < sorted->len ? g_ptr_array_index (sorted, n) : NULL;

    if (least == NULL || least->value > value)
      return FALSE;
    total -= least->bytes;
  }
  for (guint i = 0; goes != NULL && i < n; i++)
    g_ptr_array_add (goes, g_strdup (((EnsCollected *)g_ptr_array_index (sorted, i))->name));
  return TRUE;
}
