/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gst-ensemble: networks on devices.
 *
 * A device runs plans. A network is a graph prepared for a device, with its weights packed once. A
 * plan is the network for concrete input shapes: everything is decided and allocated when it is
 * made, so that running it allocates nothing. */
#pragma once

#include "engine/device.h"
#include "graph/node-time.h"

G_BEGIN_DECLS

typedef struct _EnsNetwork EnsNetwork;
typedef struct _EnsPlan EnsPlan;

/* Loads an ONNX file. (transfer full) */
EnsNetwork *ens_network_load (const char *path, EnsDevice *device, GError **error);
/* The same for inputs larger than size × size, what the network was made for: its fully connected
 * layers, or its average over the whole map, are applied at every position, as convolutions, and
 * outputs (N, classes) become maps (N, h, w, classes), of one position at that size. (transfer
 * full)
 */
EnsNetwork *ens_network_load_convolutional (const char *path, guint size, EnsDevice *device,
                                            GError **error);
EnsNetwork *ens_network_ref (EnsNetwork *network);
void ens_network_unref (EnsNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsNetwork, ens_network_unref)

guint ens_network_get_n_inputs (EnsNetwork *network);
guint ens_network_get_n_outputs (EnsNetwork *network);
const char *ens_network_get_input_name (EnsNetwork *network, guint i);
const char *ens_network_get_output_name (EnsNetwork *network, guint i);
/* The declared shape, NHWC for rank 4, unknown dimensions -1. */
const EnsShape *ens_network_get_input_shape (EnsNetwork *network, guint i);

/* Plans for inputs of these shapes, or returns a plan made earlier. A network keeps the plans that
 * were used last, as many as fit the bytes of ENSEMBLE_PLAN_MEMORY, but always those of its last
 * four requests. Any thread. (transfer full) */
EnsPlan *ens_network_plan (EnsNetwork *network, const EnsShape *input_shapes, GError **error);
/* The same for work that can be cancelled, also while another thread plans. (transfer full) */
EnsPlan *ens_network_plan_cancellable (EnsNetwork *network, const EnsShape *input_shapes,
                                       GCancellable *cancellable, GError **error);
/* FALSE with an error if such a plan can't be made, as far as can be told from shapes and the
 * device's limits alone. Any thread. */
gboolean ens_network_check (EnsNetwork *network, const EnsShape *input_shapes, GError **error);
/* The operations of a run of such a plan, without making it; 0, with an error, if inputs can't have
 * these shapes. Any thread. */
double ens_network_count_operations (EnsNetwork *network, const EnsShape *input_shapes,
                                     GError **error);
EnsPlan *ens_plan_ref (EnsPlan *plan);
void ens_plan_unref (EnsPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsPlan, ens_plan_unref)

const EnsShape *ens_plan_get_output_shape (EnsPlan *plan, guint i);
/* Multiplications and additions of a run, each one. */
double ens_plan_get_operations (EnsPlan *plan);
/* Bytes of intermediate values and scratch while it runs. Plans on one device that do not run at
 * the same time use the same memory. */
gsize ens_plan_get_arena_size (EnsPlan *plan);
/* Bytes that the plan alone has, as long as it exists: an estimate of what describes it, and on a
 * GPU its intermediate values. */
gsize ens_plan_get_own_size (EnsPlan *plan);
/* Notes for people on how it was loaded, a sentence each, up to a NULL: a quantised network was
 * dequantised. */
const char *const *ens_network_get_notes (EnsNetwork *network);
/* Bytes of the network's weights, as loaded and as its plans want them (shared by all plans). */
gsize ens_network_get_weights_size (EnsNetwork *network);

/* Runs on dense input and output arrays of the planned shapes, which must not overlap (64-byte
 * aligned runs fastest). A batch may run a few images at a time; the result is the same, bit for
 * bit, for any number of threads. Any thread; runs of one plan wait for each other. On the CPU it
 * can't fail. */
gboolean ens_plan_run (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                       GError **error);

/* Runs as ens_plan_run () and adds each node's time to `times`, ens_plan_get_n_nodes () elements
 * that were zero before the first run. */
guint ens_plan_get_n_nodes (EnsPlan *plan);
gboolean ens_plan_profile (EnsPlan *plan, const gconstpointer *inputs, const gpointer *outputs,
                           EnsNodeTime *times, GError **error);

G_END_DECLS
