/* gst-ensemble: what the ensemble found in one frame.
 *
 * P, P1, P2, P3 as in the method: P1 the retrained networks on the whole frame, P2 the original
 * networks on the whole frame, P3 the largest over the windows, P all of them fused. Where a bundle
 * has no networks of a role, that role's probabilities are 0. */
#pragma once

#include <ensemble/rect.h>

G_BEGIN_DECLS

#define ENS_RESULT_SCHEMA "gst-ensemble/result/1"

typedef struct {
  const char *name; /* belongs to the result */
  float p, p1, p2, p3;
  float threshold;
  gboolean present; /* p >= threshold */
  gint window;      /* the window of p3 in windows[], -1 without windows */
} EnsClassResult;

typedef struct {
  const char *name;
  float *probabilities; /* n_classes, on the whole frame */
} EnsNetworkResult;

/* Nanoseconds. */
typedef struct {
  gint64 windows, prepare, networks, total;
} EnsTimings;

typedef struct {
  guint64 pts;  /* of the frame analysed; G_MAXUINT64 if it has none */
  char *source; /* file or stream it came from; NULL unless whoever ran the analysis has set it */
  guint width, height; /* of the frame analysed */
  char *bundle, *version;
  guint n_classes, n_networks, n_windows;
  EnsClassResult *classes;     /* in the bundle's order */
  EnsNetworkResult *networks;  /* in the bundle's order */
  EnsWindow *windows;          /* best first */
  float *window_probabilities; /* n_windows × n_classes */
  EnsTimings timings;
  /*< private >*/
  char **class_names, **network_names;
  gatomicrefcount references;
} EnsResult;

/* Room for everything, zeroed, windows -1. class_names: n_classes strings, copied. (transfer full)
 */
EnsResult *ens_result_new (const char *const *class_names, guint n_classes,
                           const char *const *network_names, guint n_networks, guint n_windows);
/* Shared between threads once complete; immutable from then on. */
EnsResult *ens_result_ref (EnsResult *result);
void ens_result_unref (EnsResult *result);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsResult, ens_result_unref)

/* The result with its top_k most probable classes alone, the most probable first. With top_k 0, or
 * no more classes than that, the result itself, all classes in the bundle's order. (transfer full)
 */
EnsResult *ens_result_top (EnsResult *result, guint top_k);

/* One line of JSON without a newline, "schema": ENS_RESULT_SCHEMA. Classes are sorted by
 * probability, at most top_k of them (0: all); networks' probabilities are theirs, in that order.
 * Of the windows those are listed that are a listed class's best, and the class's "window" is a
 * position in that list. What is unknown is left out: "pts", "source", without windows also "p3",
 * "window" and "windows". (transfer full) */
char *ens_result_to_json (const EnsResult *result, guint top_k);

G_END_DECLS
