/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/label-next.h"

#include "train/images.h"

/* Pictures that the sentence names. */
#define MAX_NAMES 4

/* A picture that could be labelled. */
typedef struct {
  const char *path;
  guint class; /* that it is unsure of */
  float probability;
  float margin; /* 0: at the threshold; 1: as far from it as can be */
  EnsPictureHash hash;
} Candidate;

typedef struct {
  const EnsBundle *bundle;
  EnsAnalysis *analysis;
  GArray *candidates; /* Candidate */
} Search;

static void
search_clear (Search *search)
{
  ens_analysis_free (search->analysis);
  g_array_unref (search->candidates);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Search, search_clear)

static void
find_nearest (const Search *search, const EnsResult *result, Candidate *candidate)
{
  candidate->margin = 2;
  for (guint c = 0; c < search->bundle->n_classes; c++) {
    float p = result->classes[c].p, threshold = search->bundle->thresholds[c];
    float margin = p < threshold ? (threshold - p) / threshold : (p - threshold) / (1 - threshold);

    if (margin < candidate->margin) {
      candidate->margin = margin;
      candidate->class = c;
      candidate->probability = p;
    }
  }
}

static gboolean
judge (const EnsDatasetItem *item, const EnsPicture *picture, gpointer data, GError **error)
{
  Search *search = data;
  g_autoptr (EnsResult) result =
      ens_analysis_run (search->analysis, &picture->frame, picture->pts, NULL, error);
  Candidate candidate = {.path = item->path};
  float pixels[ENS_PICTURE_HASH_PIXELS];

  if (result == NULL)
    return FALSE;
  find_nearest (search, result, &candidate);
  ens_picture_hash_shrink (&picture->frame, NULL, pixels);
  ens_picture_hash_init (&candidate.hash, pixels);
  g_array_append_val (search->candidates, candidate);
  return TRUE;
}

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const Candidate *x = a, *y = b;

  if (x->margin != y->margin)
    return x->margin < y->margin ? -1 : 1;
  return g_strcmp0 (x->path, y->path);
}

/* Those that are shown, the most unsure first. (transfer full, Candidate) */
static GPtrArray *
choose (const GArray *candidates)
{
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; i < candidates->len && chosen->len < ENS_FINDING_PICTURES; i++) {
    Candidate *candidate = &g_array_index (candidates, Candidate, i);
    gboolean copy = FALSE;

    for (guint j = 0; j < chosen->len && !copy; j++)
      copy = ens_picture_hash_match (&((Candidate *)chosen->pdata[j])->hash, &candidate->hash);
    if (!copy)
      g_ptr_array_add (chosen, candidate);
  }
  return chosen;
}

/* "a.jpg, b.jpg …" (transfer full) */
static char *
list_names (const GPtrArray *chosen)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < MIN (chosen->len, MAX_NAMES); i++) {
    g_autofree char *name = g_filename_display_basename (((Candidate *)chosen->pdata[i])->path);

    g_string_append_printf (text, "%s%s", i > 0 ? ", " : "", name);
  }
  g_string_append (text, chosen->len > MAX_NAMES ? " …" : "");
  return g_string_free (text, FALSE);
}

static EnsFinding *
report (const Search *search, const char *folder)
{
  g_autoptr (GPtrArray) chosen = choose (search->candidates);
  g_autofree char *names = list_names (chosen);
  EnsFinding *finding = ens_finding_new (
      ENS_FINDING_NEXT,
      g_strdup_printf ("Of the %u pictures in %s the ensemble is least sure of %u: label these "
                       "next (%s).",
                       search->candidates->len, folder, chosen->len, names));

  for (guint i = 0; i < chosen->len; i++) {
    const Candidate *candidate = chosen->pdata[i];

    ens_finding_show (finding, candidate->path,
                      g_strdup_printf ("%s %.2f, threshold %.2f",
                                       search->bundle->classes[candidate->class],
                                       (double)candidate->probability,
                                       (double)search->bundle->thresholds[candidate->class]));
  }
  return finding;
}

gboolean
ens_add_next_labels (GPtrArray *findings, EnsEnsemble *ensemble, const char *folder,
                     const EnsFrameOpener *opener, const EnsMonitor *monitor, GError **error)
{
  const EnsBundle *bundle = ens_ensemble_get_bundle (ensemble);
  g_autoptr (EnsDataset) dataset =
      ens_dataset_load_unrelated (folder, (const char *const *)bundle->classes, error);
  g_auto (Search) search = {.bundle = bundle};
  guint n_broken;

  search.analysis = ens_analysis_new (ensemble);
  search.candidates = g_array_new (FALSE, FALSE, sizeof (Candidate));
  if (dataset == NULL)
    return FALSE;
  ens_dataset_tell (dataset, monitor);
  if (!ens_images_foreach (&(EnsImages) {.dataset = dataset,
                                         .split = ENS_SPLIT_TEST,
                                         .opener = opener,
                                         .monitor = monitor,
                                         .stage = "judging pictures without labels",
                                         .each = judge,
                                         .data = &search},
                           &n_broken, error))
    return FALSE;
  g_array_sort (search.candidates, compare_candidates);
  g_ptr_array_add (findings, report (&search, folder));
  return TRUE;
}
