/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an ONNX file says of itself beside the network. */
#pragma once

#include "base/error.h"

typedef struct {
  char *producer;         /* what wrote it, such as "pytorch 2.1.0"; NULL: not said */
  GHashTable *properties; /* metadata_props: key, in lower case → text */
  GHashTable *types;      /* name of an input or output of the graph → its type in the file */
  gboolean channels_last; /* the first input of rank 4 is declared as (N, H, W, 1 or 3) */
} EnsOnnxAbout;

/* (transfer full) */
EnsOnnxAbout *ens_onnx_about_read (const char *path, GError **error);
void ens_onnx_about_free (EnsOnnxAbout *about);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsOnnxAbout, ens_onnx_about_free)
