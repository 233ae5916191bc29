/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that meet at a batcher, each on a thread of its own, and a gate before what they run
 * together. */
#pragma once

#include "engine/batcher-private.h"

#include "check-main.h"
#include "engine/network-private.h"

#define STREAM_SIZE 16 /* of images */
#define STREAM_FILTERS 8
#define MAX_STREAMS 4
#define N_IMAGES_ALONE 2 /* of a frame, where batches that are planned count */

/* ---- A gate before runs of several frames ---- */

typedef struct {
  GMutex lock;
  GCond changed;
  gboolean closed, failing;
  guint arrived;
  guint most, n_refused; /* images that can be planned, if not 0, and how often it were more */
  guint n_planned;       /* batches of several frames */
  gint64 planning;       /* what planning one takes at least */
} StreamGate;

extern StreamGate gate;

void gate_set (gboolean closed);
void gate_await (guint n);

/* ---- Streams ---- */

typedef enum {
  PLAIN,
  MIXES,     /* what it makes of an image depends on the other ones */
  OVERFLOWS, /* float16, between values that it can hold */
} NetworkKind;

typedef struct {
  EnsBatcher *batcher;
  EnsDevice *device, *reference_device;
  EnsNetwork *network, *reference; /* the same one, on the CPU */
  double tolerance;                /* of results beside it, relative to the largest */
} Fixture;

/* Takes the device; NULL: no network. */
void fixture_init_on (Fixture *fixture, EnsDevice *device, NetworkKind kind);
/* Skips the case, and has no device, where there is none of the name. */
void fixture_init (Fixture *fixture, const char *device, NetworkKind kind);
void fixture_clear (Fixture *fixture);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

typedef struct {
  const Fixture *fixture;
  EnsBatchSeat *seat;
  guint number, images;        /* at a time */
  guint n_frames, n_per_frame; /* and how often for each */
  EnsBatchSettings settings;
  GCancellable *cancellable;
  float *expected, *found; /* of a run */
  /* After it has ended: */
  guint n_runs, n_shared; /* runs, and the sum of frames in them */
  gint64 planning;        /* that they have waited for, in ns */
  gboolean cancelled;
} Stream;

void stream_init (Stream *stream, const Fixture *fixture, guint number, guint images);
void stream_clear (Stream *stream);

/* A thread's function. data: a stream. */
gpointer run_stream (gpointer data);
void run_streams (Stream *streams, guint n);
