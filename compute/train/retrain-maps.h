/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a retrained network sees classes: its dense map over a whole picture (M1.10).
 *
 * What the network was made for is a square of size S; the map says what it makes of the squares
 * around positions all over a picture, up to its edges, beyond which the input is the mean. */
#pragma once

#include <ensemble/result.h>

#include "engine/device.h"
#include "train/retrain.h"

G_BEGIN_DECLS

/* One thread at a time. */
typedef struct _EnsMapper EnsMapper;

/* Loads a network that ens_retrain () wrote, with its NAME.json. (transfer full) */
EnsMapper *ens_mapper_new (const char *path, EnsDevice *device, GError **error);
void ens_mapper_free (EnsMapper *mapper);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsMapper, ens_mapper_free)

/* Up to a NULL. */
const char *const *ens_mapper_get_classes (const EnsMapper *mapper);

/* The map of a part of the frame, which may reach beyond it, scaled to width × height pixels. It is
 * all that the result has; its rectangles are in the part's coordinates 0 … 1, their middles from
 * edge to edge. (transfer full) */
EnsResult *ens_mapper_run (EnsMapper *mapper, const EnsFrame *frame, const EnsRect *part,
                           guint width, guint height, GError **error);

/* A picture with the map of a class that it shows. */
typedef struct {
  char *path;
  guint class;       /* of the result's */
  GArray *boxes;     /* EnsRect, of the class's objects; none in data sets that have no boxes */
  EnsResult *result; /* its map, whose classes are the network's */
} EnsRetrainMap;

/* Runs the result of a retraining on at most `n` validation pictures that show a class, spread over
 * the split, each scaled as for training. EnsRetrainMap; fewer, or none, where no picture shows a
 * class; those that can't be read are left out. (transfer full) */
GPtrArray *ens_retrain_draw_maps (const EnsRetrainParams *params, guint n, EnsDevice *device,
                                  const EnsFrameOpener *opener, GError **error);

G_END_DECLS
