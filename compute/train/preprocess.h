/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a network's images have to look like, as far as that can be found out.
 *
 * ONNX files say little of it. What is known comes, the first that knows it, from
 *   - files beside the network: NETWORK.json or networks.json, GStreamer's NETWORK.onnx.modelinfo
 *     or NETWORK.modelinfo, preprocessor_config.json and config.json of Hugging Face;
 *   - the ONNX file's metadata_props, as onnxmltools, Custom Vision and Ultralytics write them;
 *   - the graph, if it begins by subtracting a mean or dividing by a deviation itself;
 *   - what statistics of the first layer suggest, or else custom: guesses.
 * Each part is told with how it is known. */
#pragma once

#include "vision/frame.h"

typedef enum {
  ENS_PREPROCESS_ORDER,
  ENS_PREPROCESS_RANGE, /* mean and scale */
  ENS_PREPROCESS_SIZE,
  ENS_PREPROCESS_CROP,
  ENS_PREPROCESS_LABELS,
  ENS_PREPROCESS_TAPS,
  ENS_N_PREPROCESS_PARTS,
} EnsPreprocessPart;

/* From the least to the most certain. */
typedef enum {
  ENS_CERTAINTY_UNKNOWN,
  ENS_CERTAINTY_GUESS,
  ENS_CERTAINTY_GRAPH,
  ENS_CERTAINTY_STATED,
  ENS_CERTAINTY_GIVEN, /* by the user */
} EnsCertainty;

typedef struct {
  EnsNormalise normalise;
  guint size;          /* side of the square input, or its shorter side; 0: unknown */
  guint height, width; /* of an input that is not square; 0: it is, or that is unknown */
  double
      crop; /* of the shorter side, what the centre crop of its own evaluation keeps; 0: unknown */
  char **labels; /* of the network's own outputs; NULL: unknown */
  char **taps;   /* NULL: unknown */
  EnsCertainty certainty[ENS_N_PREPROCESS_PARTS];
  char *reasons[ENS_N_PREPROCESS_PARTS]; /* which file says so, or what the guess rests on */
  GPtrArray *notes;                      /* char *: what was found and could not be used */
} EnsPreprocess;

/* Order, range, size and taps are always known afterwards, if only guessed; what is wrong in files
 * beside the network makes a note, not an error. (transfer full) */
EnsPreprocess *ens_preprocess_find (const char *path, GError **error);
void ens_preprocess_free (EnsPreprocess *preprocess);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsPreprocess, ens_preprocess_free)

/* How a part is known, such as "stated in networks.json", "found in the graph: …" or "guess: …".
 * NULL if it is not. (transfer full) */
char *ens_preprocess_explain (const EnsPreprocess *preprocess, EnsPreprocessPart part);
