/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Analysing a part of a frame as if it were the frame; rectangles stay those of the frame. */
#pragma once

#include "ensemble/ensemble.h"
#include "vision/pixel-layout.h"

/* What is analysed in place of a frame, and with which options. */
typedef struct {
  EnsFrame frame; /* the part; its pixels are the frame's */
  EnsAnalyseOptions options;
  EnsFramePart part;
  guint width, height; /* of the whole frame */
  /*< private >*/
  EnsRect *regions;
  EnsRegionOrigin *origins;
} EnsFrameCrop;

/* The pixels that options->crop says: all of the frame if it is empty, else at least one. It begins
 * on an even pixel, which chroma planes of half the frame's size have a sample for. Regions are
 * cut to it, and left out where nothing of them is left. `frame` has been validated. */
void ens_frame_crop_init (EnsFrameCrop *crop, const EnsFrame *frame,
                          const EnsAnalyseOptions *options);
void ens_frame_crop_clear (EnsFrameCrop *crop);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (EnsFrameCrop, ens_frame_crop_clear)

/* The pixels of width × height that a rectangle touches, from an even one on. */
EnsFramePart ens_frame_crop_find_part (const EnsRect *rect, guint width, guint height);

/* Moves the rectangles of the part's result to where they are on the whole frame. */
void ens_frame_crop_place_result (const EnsFrameCrop *crop, EnsResult *result);

/* Where on a width × height frame a rectangle of the part lies. */
static inline EnsRect
ens_frame_part_place (const EnsFramePart *part, guint width, guint height, const EnsRect *rect)
{
  const float scale_x = (float)part->width / width, scale_y = (float)part->height / height;

  return (EnsRect) {rect->x * scale_x + (float)part->x / width,
                    rect->y * scale_y + (float)part->y / height, rect->width * scale_x,
                    rect->height * scale_y};
}
