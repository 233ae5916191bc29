/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: the state of an unfinished training, kept in a file to go on from.
 *
 * A checkpoint is a set of named arrays and numbers. Writing is atomic (a temporary file beside it,
 * fsync, rename), so that a process killed at any moment leaves the old file or the new one; a
 * checksum tells a file that a failing disk has changed. Values are in the byte order of the
 * machine: files are for going on there, results are ONNX. */
#pragma once

#include "base/error.h"

G_BEGIN_DECLS

typedef struct _EnsCheckpoint EnsCheckpoint;

/* An empty one. `configuration` is a text that says everything that the training depends on:
 * settings, data, networks. (transfer full) */
EnsCheckpoint *ens_checkpoint_new (const char *configuration);
void ens_checkpoint_free (EnsCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsCheckpoint, ens_checkpoint_free)

/* Copies; names are used once. */
void ens_checkpoint_add_floats (EnsCheckpoint *checkpoint, const char *name, const float *values,
                                gsize n);
void ens_checkpoint_add_integer (EnsCheckpoint *checkpoint, const char *name, guint64 value);
void ens_checkpoint_add_double (EnsCheckpoint *checkpoint, const char *name, double value);

/* What was written before stays where it can't be written. */
gboolean ens_checkpoint_write (const EnsCheckpoint *checkpoint, const char *path, GError **error);
/* NULL with ENS_ERROR_FILE if it can't be read, ENS_ERROR_FORMAT if it is damaged or something
 * else, ENS_ERROR_DATA if it is of a training of another configuration. (transfer full) */
EnsCheckpoint *ens_checkpoint_read (const char *path, const char *configuration, GError **error);

/* FALSE with ENS_ERROR_FORMAT if there is no such value, or an array of another length. */
gboolean ens_checkpoint_get_floats (const EnsCheckpoint *checkpoint, const char *name,
                                    float *values, gsize n, GError **error);
gboolean ens_checkpoint_get_integer (const EnsCheckpoint *checkpoint, const char *name,
                                     guint64 *value, GError **error);
gboolean ens_checkpoint_get_double (const EnsCheckpoint *checkpoint, const char *name,
                                    double *value, GError **error);

G_END_DECLS
