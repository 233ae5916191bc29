/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element ensembleclassify on a harness, with a bundle that knows red, green and blue, and a
 * gate before every analysis: tests decide when a result comes, so that none has to wait for time
 * to pass. */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/ensemble/ensemble.h>
#include <gst/video/video.h>

#include "check-main.h"

#define FRAME (40 * GST_MSECOND)

typedef struct {
  char *folder; /* temporary, removed at the end */
  char *bundle;
  GstElement *element;
  GstHarness *harness;
} Classify;

/* Of the running test. */
extern Classify *classify;

void classify_set_up (void);
void classify_tear_down (void);

/* Sets the element playing, unless it does, and gives it a segment with these caps. */
void classify_play (Classify *classify, const char *caps);
/* As above for RGB of 32×24 pixels at 25 frames a second, in this mode. */
void classify_play_mode (Classify *classify, const char *mode);

/* Fills a buffer that holds a frame of the current caps with one colour, 0xRRGGBB. */
void classify_fill_frame (Classify *classify, GstBuffer *buffer, guint colour);
/* A frame of one colour, 0xRRGGBB. (transfer full) */
GstBuffer *classify_make_frame (Classify *classify, guint colour, GstClockTime pts);
/* Pushes a frame and takes what comes out. (transfer full) */
GstBuffer *classify_push (Classify *classify, guint colour, GstClockTime pts);

guint64 classify_get_stat (Classify *classify, const char *field);
/* The result on a buffer, which must have one. */
const EnsResult *classify_get_result (GstBuffer *buffer);
GstClockTime classify_get_age (GstBuffer *buffer);
float classify_get_probability (GstBuffer *buffer, const char *class_name);

/* Closed, the gate holds every analysis before it begins. Starts open. */
void gate_close (void);
void gate_open (void);
/* While it is set, analyses that come through the gate fail. */
void gate_set_failing (gboolean failing);
/* Waits until `n` analyses have come to the gate since it was closed. */
void gate_wait_arrived (guint n);
/* Waits until `n` analyses have ended since the gate was closed. */
void gate_wait_left (guint n);
/* How many were cancelled before the gate was opened, since it was closed. */
guint gate_count_cancelled (void);
