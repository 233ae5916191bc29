/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the folders of a set without annotations are: splits, or classes. */
#pragma once

#include "dataset/listing.h"
#include "dataset/split.h"

/* Whether the folders are called by words for splits, such as train2017 and test_set: all that have
 * pictures, which lie in folders of classes. One that is called like a split makes others none. */
gboolean ens_folders_are_words (const char *folder, const EnsListing *listing);
/* The split that a folder is; words: as ens_folders_are_words () says. */
gboolean ens_folders_find_split (const char *name, gboolean words, EnsSplit *split);
/* A folder that is called by a word for a split; NULL if there is none. (transfer full) */
char *ens_folders_find_word (const char *folder);
/* A split inside of a class, CLASS/SPLIT; NULL if there is none. (transfer full) */
char *ens_folders_find_inner_split (const char *folder);
