/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Near copies: across splits, with different labels, within a split. */
#include <string.h>

#include "train/diagnosis-private.h"

/* Two images that are near copies, the earlier one first. */
typedef struct {
  guint a, b;
} Pair;

/* Pictures of one colour look like no other one: of these the files tell. */
static gboolean
are_copies (const EnsDiagnosisImage *a, const EnsDiagnosisImage *b)
{
  return (a->key != NULL && b->key != NULL && memcmp (a->key, b->key, sizeof *a->key) == 0)
         || (a->hash != NULL && b->hash != NULL && ens_picture_hash_match (a->hash, b->hash));
}

/* Every picture against every other: some seconds for a hundred thousand. */
static GArray *
find_pairs (const EnsDiagnosis *diagnosis)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (Pair));

  for (guint b = 0; b < diagnosis->n_images; b++)
    for (guint a = 0; a < b; a++)
      if (are_copies (&diagnosis->images[a], &diagnosis->images[b])) {
        Pair pair = {a, b};

        g_array_append_val (pairs, pair);
      }
  return pairs;
}

/* Both pictures of a pair, one after the other. */
static void
show_pair (const EnsDiagnosis *diagnosis, EnsFinding *finding, const Pair *pair)
{
  const guint both[] = {pair->a, pair->b};

  if (finding->pictures->len + 2 > ENS_FINDING_PICTURES)
    return;
  for (guint i = 0; i < 2; i++) {
    const EnsDiagnosisImage *image = &diagnosis->images[both[i]];
    g_autofree char *labels = ens_diagnosis_list_labels (diagnosis, image);

    ens_finding_show (finding, image->path,
                      g_strdup_printf ("%s, %s", ens_split_name (image->split), labels));
  }
}

static void
add_unless_empty (GPtrArray *findings, EnsFinding *finding)
{
  if (finding->text != NULL)
    g_ptr_array_add (findings, finding);
  else
    ens_finding_free (finding);
}

static guint
count_split (const EnsDiagnosis *diagnosis, EnsSplit split)
{
  guint n = 0;

  for (guint i = 0; i < diagnosis->n_images; i++)
    n += diagnosis->images[i].split == split;
  return n;
}

/* An image of a later split that is a copy of one of an earlier split has been seen before. */
static void
diagnose_leak (const EnsDiagnosis *diagnosis, const GArray *pairs, GPtrArray *findings)
{
  EnsFinding *finding = ens_finding_new (ENS_FINDING_LEAK, NULL);
  g_autofree gboolean *leaked = g_new0 (gboolean, diagnosis->n_images);
  guint n[ENS_N_SPLITS] = {0};

  for (guint p = 0; p < pairs->len; p++) {
    const Pair *pair = &g_array_index (pairs, Pair, p);
    EnsSplit a = diagnosis->images[pair->a].split, b = diagnosis->images[pair->b].split;
    guint later = a > b ? pair->a : pair->b;

    if (a == b)
      continue;
    if (!leaked[later])
      n[MAX (a, b)]++;
    leaked[later] = TRUE;
    show_pair (diagnosis, finding, pair);
  }
  if (n[ENS_SPLIT_VALIDATION] + n[ENS_SPLIT_TEST] > 0)
    finding->text = g_strdup_printf (
        "%u of the %u validation pictures and %u of the %u test pictures are near copies of "
        "pictures of another split, so that what is measured on them is too good: keep a picture "
        "and its copies in one split.",
        n[ENS_SPLIT_VALIDATION], count_split (diagnosis, ENS_SPLIT_VALIDATION), n[ENS_SPLIT_TEST],
        count_split (diagnosis, ENS_SPLIT_TEST));
  add_unless_empty (findings, finding);
}

static gboolean
contradict (const EnsDiagnosis *diagnosis, const Pair *pair)
{
  for (guint c = 0; c < diagnosis->n_classes; c++) {
    guint a = diagnosis->images[pair->a].labels[c], b = diagnosis->images[pair->b].labels[c];

    if (a != b && a != ENS_LABEL_UNKNOWN && b != ENS_LABEL_UNKNOWN)
      return TRUE;
  }
  return FALSE;
}

static void
diagnose_contradictions (const EnsDiagnosis *diagnosis, const GArray *pairs, GPtrArray *findings)
{
  EnsFinding *finding = ens_finding_new (ENS_FINDING_CONTRADICT, NULL);
  guint n = 0;

  for (guint p = 0; p < pairs->len; p++) {
    const Pair *pair = &g_array_index (pairs, Pair, p);

    if (!contradict (diagnosis, pair))
      continue;
    n++;
    show_pair (diagnosis, finding, pair);
  }
  if (n > 0)
    finding->text = g_strdup_printf ("%u %s of near copies %s different labels: one label of each "
                                     "pair is wrong or missing, correct it.",
                                     n, n == 1 ? "pair" : "pairs", n == 1 ? "has" : "have");
  add_unless_empty (findings, finding);
}

/* Follows the links of a group to its first image. */
static guint
find_group (guint *groups, guint image)
{
  while (groups[image] != image)
    image = groups[image] = groups[groups[image]];
  return image;
}

static void
diagnose_copies (const EnsDiagnosis *diagnosis, const GArray *pairs, GPtrArray *findings)
{
  EnsFinding *finding = ens_finding_new (ENS_FINDING_COPIES, NULL);
  g_autofree guint *groups = g_new (guint, diagnosis->n_images);
  g_autofree guint *sizes = g_new0 (guint, diagnosis->n_images);
  guint n_groups = 0, n_images = 0;

  for (guint i = 0; i < diagnosis->n_images; i++)
    groups[i] = i;
  for (guint p = 0; p < pairs->len; p++) {
    const Pair *pair = &g_array_index (pairs, Pair, p);
    guint a = find_group (groups, pair->a), b = find_group (groups, pair->b);

    if (diagnosis->images[pair->a].split != diagnosis->images[pair->b].split
        || contradict (diagnosis, pair))
      continue;
    groups[MAX (a, b)] = MIN (a, b);
    show_pair (diagnosis, finding, pair);
  }
  for (guint i = 0; i < diagnosis->n_images; i++)
    sizes[find_group (groups, i)]++;
  for (guint i = 0; i < diagnosis->n_images; i++)
    if (sizes[i] > 1) {
      n_groups++;
      n_images += sizes[i];
    }
  if (n_groups > 0)
    finding->text = g_strdup_printf (
        "%u pictures are near copies of another one of their split, in %u %s: they teach nothing "
        "new and count several times, keep one of each group.",
        n_images, n_groups, n_groups == 1 ? "group" : "groups");
  add_unless_empty (findings, finding);
}

void
ens_diagnose_copies (const EnsDiagnosis *diagnosis, GPtrArray *findings)
{
  g_autoptr (GArray) pairs = find_pairs (diagnosis);

  diagnose_leak (diagnosis, pairs, findings);
  diagnose_contradictions (diagnosis, pairs, findings);
  diagnose_copies (diagnosis, pairs, findings);
}
