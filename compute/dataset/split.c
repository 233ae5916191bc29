/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dataset/split.h"

#include <stdlib.h>
#include <string.h>

static const char *const split_names[ENS_N_SPLITS] = {"train", "validation", "test"};

static const struct {
  const char *name;
  EnsSplit split;
} spellings[] = {
    {"train", ENS_SPLIT_TRAIN},         {"training", ENS_SPLIT_TRAIN},
    {"trainval", ENS_SPLIT_TRAIN},      {"test", ENS_SPLIT_TEST}, /* also in test-dev */
    {"testing", ENS_SPLIT_TEST},        {"val", ENS_SPLIT_VALIDATION},
    {"valid", ENS_SPLIT_VALIDATION},    {"validation", ENS_SPLIT_VALIDATION},
    {"minival", ENS_SPLIT_VALIDATION},  {"dev", ENS_SPLIT_VALIDATION},
    {"validate", ENS_SPLIT_VALIDATION}, {"trainset", ENS_SPLIT_TRAIN},
    {"valset", ENS_SPLIT_VALIDATION},   {"testset", ENS_SPLIT_TEST},
};

const char *
ens_split_name (EnsSplit split)
{
  return split_names[split];
}

gboolean
ens_split_parse (const char *name, EnsSplit *split)
{
  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++)
    if (g_ascii_strcasecmp (name, spellings[i].name) == 0) {
      *split = spellings[i].split;
      return TRUE;
    }
  return FALSE;
}

/* Whether `word` stands in `name` with no letter beside it. */
static gboolean
has_word (const char *name, const char *word)
{
  for (const char *at = name; (at = strstr (at, word)) != NULL; at++)
    if ((at == name || !g_ascii_isalpha (at[-1])) && !g_ascii_isalpha (at[strlen (word)]))
      return TRUE;
  return FALSE;
}

/* In lower case, divided where a capital begins a word: train_set of TrainSet. (transfer full) */
static char *
divide_words (const char *name)
{
  GString *words = g_string_new (NULL);

  for (const char *at = name; *at != '\0'; at++) {
    if (at > name && g_ascii_isupper (*at) && g_ascii_islower (at[-1]))
      g_string_append_c (words, '_');
    g_string_append_c (words, g_ascii_tolower (*at));
  }
  return g_string_free (words, FALSE);
}

gboolean
ens_split_find (const char *name, EnsSplit *split)
{
  g_autofree char *words = divide_words (name);

  for (guint i = 0; i < G_N_ELEMENTS (spellings); i++)
    if (has_word (words, spellings[i].name)) {
      *split = spellings[i].split;
      return TRUE;
    }
  return FALSE;
}

/* ---- Dividing ---- */

/* One in so many files is for validation, and one for the test. */
#define SHARE 5

typedef struct {
  char *digest; /* of the name */
  const char *path;
  guint index;
} Ticket;

static int
compare_tickets (gconstpointer a, gconstpointer b)
{
  const Ticket *x = a, *y = b;
  int order = strcmp (x->digest, y->digest);

  return order != 0 ? order : strcmp (x->path, y->path);
}

/* Few files are all for training, or for that and for validation. */
static EnsSplit
choose_split (guint rank, guint n, gboolean test)
{
  if (rank % SHARE == 0 && n > 1)
    return ENS_SPLIT_VALIDATION;
  return test && rank % SHARE == 1 && n > 2 ? ENS_SPLIT_TEST : ENS_SPLIT_TRAIN;
}

void
ens_split_divide (const char *const *paths, guint n, gboolean test, EnsSplit *splits)
{
  g_autofree Ticket *tickets = g_new (Ticket, n);

  for (guint i = 0; i < n; i++) {
    g_autofree char *name = g_path_get_basename (paths[i]);

    tickets[i] =
        (Ticket) {g_compute_checksum_for_string (G_CHECKSUM_SHA256, name, -1), paths[i], i};
  }
  qsort (tickets, n, sizeof *tickets, compare_tickets);
  for (guint i = 0; i < n; i++) {
    splits[tickets[i].index] = choose_split (i, n, test);
    g_free (tickets[i].digest);
  }
}
