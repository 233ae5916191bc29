/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures of camera A adapted to camera B by one method or another. */
#pragma once

#include "engine/network.h"
#include "train/style-measure.h"
#include "vision/residual.h"

/* RGB of 0 … 255 at the size of training. */
typedef struct {
  guint width, height;
  float *values; /* owned */
} EnsSmallPicture;

EnsSmallPicture *ens_small_picture_new (const EnsFrame *frame, guint size, EnsThreadPool *pool);
void ens_small_picture_free (EnsSmallPicture *picture);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsSmallPicture, ens_small_picture_free)
/* In bytes, clipped and rounded. (transfer full) */
EnsPicture *ens_small_picture_show (const EnsSmallPicture *picture);

typedef struct _EnsStyleAdapter EnsStyleAdapter;

/* from, to: EnsSmallPicture of both cameras; style: the written file. (transfer full) */
EnsStyleAdapter *ens_style_adapter_new (const GPtrArray *from, const GPtrArray *to,
                                        const char *style, EnsDevice *device, GError **error);
void ens_style_adapter_free (EnsStyleAdapter *adapter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsStyleAdapter, ens_style_adapter_free)

/* What a method makes of a picture; number: of the picture, by which one of B's is chosen. Not
 * clipped. NULL on error. (transfer full) */
EnsSmallPicture *ens_style_adapter_run (EnsStyleAdapter *adapter, EnsStyleMethod method,
                                        guint number, const EnsSmallPicture *picture,
                                        GError **error);

/* An opener whose pictures are adapted, for as long as it lives. It uses one thread at a time. */
typedef struct {
  EnsFrameOpener opener; /* to be used */
  /*< private >*/
  const EnsFrameOpener *from;
  EnsStyleAdapter *adapter;
  EnsStyleMethod method;
  guint size, n_opened;
  EnsThreadPool *pool;
} EnsStyleOpener;

void ens_style_opener_init (EnsStyleOpener *opener, const EnsFrameOpener *from,
                            EnsStyleAdapter *adapter, EnsStyleMethod method, guint size,
                            EnsThreadPool *pool);
