/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The embedding of a frame: the features that one network gives of the whole of it. */
#pragma once

#include "ensemble/member.h"
#include "ensemble/sub-images.h"

/* Of the frame before, whose still sub-images keep it. */
typedef struct {
  gint network; /* index; -1: there is none */
  guint n_values;
  float *values;
} EnsKeptEmbedding;

void ens_kept_embedding_clear (EnsKeptEmbedding *kept);
/* Takes over what a result has, if anything. */
void ens_kept_embedding_keep (EnsKeptEmbedding *kept, gint network, const EnsResult *result);
/* Gives it to a result that wants it of the same network. FALSE: there is none such. */
gboolean ens_kept_embedding_restore (const EnsKeptEmbedding *kept, gint network, EnsResult *result);

/* The sub-image that is the whole frame; -1: it is divided, and not classified as one too. */
gint ens_sub_images_find_whole (const EnsSubImages *sub_images);

/* A run for the sake of the embedding alone, whose other results nobody needs. */
typedef struct {
  float *probabilities, *similarities;
} EnsEmbeddingRun;

void ens_embedding_run_clear (EnsEmbeddingRun *run);
/* Adds the jobs of the whole frame. Until they have run, `run` and `features` must stay. */
gboolean ens_embedding_run_add (EnsEmbeddingRun *run, EnsMember *member, EnsMemberJobs *jobs,
                                const EnsMemberImages *image, GError **error);
