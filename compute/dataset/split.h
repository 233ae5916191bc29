/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The splits of a data set: what they are called, and how a set without any is divided. */
#pragma once

#include <glib.h>

typedef enum { ENS_SPLIT_TRAIN, ENS_SPLIT_VALIDATION, ENS_SPLIT_TEST, ENS_N_SPLITS } EnsSplit;

/* "train", "validation", "test". */
const char *ens_split_name (EnsSplit split);

/* The split that a folder, a list or a cell of a table is called after, upper or lower case:
 * train, training, trainval; validation, valid, val, dev, minival …; test, testing. */
gboolean ens_split_parse (const char *name, EnsSplit *split);

/* The same where such a word stands anywhere in the name with no letter beside it, or a capital
 * behind it: instances_val2017, TrainSet. */
gboolean ens_split_find (const char *name, EnsSplit *split);

/* Divides files that nothing divides, the same way on every machine: ranked by the hashes of their
 * names without folders, the first of five and every fifth after it are for validation, with `test`
 * the second and every fifth after it for the test, the others for training. Of two files none is
 * for the test, and a file alone is for training. splits: n, written. */
void ens_split_divide (const char *const *paths, guint n, gboolean test, EnsSplit *splits);
