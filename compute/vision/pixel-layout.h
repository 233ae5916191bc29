/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pixel formats as data: how many planes, what lies where in them. */
#pragma once

#include "vision/frame.h"

typedef enum { ENS_MODEL_RGB, ENS_MODEL_YCBCR, ENS_MODEL_GRAY } EnsColourModel;

typedef struct {
  guint channels; /* bytes of one pixel */
  guint shift;    /* 1: half as wide and half as high as the frame, rounded up */
} EnsPlaneLayout;

typedef struct {
  const char *name;
  EnsColourModel model;
  guint n_planes;
  EnsPlaneLayout planes[3];
  /* Where the colour model's components lie: positions among the channels of all planes. */
  guint components[3];
} EnsPixelsLayout;

extern const EnsPixelsLayout ens_pixels_layouts[ENS_N_PIXELS];

static inline guint
ens_plane_size (guint size, guint shift)
{
  return (size + (1u << shift) - 1) >> shift;
}

/* In pixels. */
typedef struct {
  guint x, y, width, height;
} EnsFramePart;

/* The part as a frame of its own, whose pixels stay the frame's. x and y are even: chroma planes
 * may have half the frame's size. */
EnsFrame ens_frame_cut (const EnsFrame *frame, const EnsFramePart *part);
