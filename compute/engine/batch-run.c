/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/batch-run.h"

#include <string.h>

#include "base/block.h"
#include "base/cancel.h"
#include "base/fail.h"
#include "engine/jobs.h"
#include "engine/network-private.h"

/* Bytes of inputs that are gathered for one run. */
#define MAX_GATHERED ((gsize)128 << 20)

/* Memory that grows with what is asked for. */
typedef struct {
  char *data;
  gsize size;
} Store;

/* One batch of all frames. */
typedef struct {
  EnsNetwork *network;
  guint n_inputs, n_outputs;
  gboolean on_device;
  EnsShape shapes[ENS_MAX_JOB_INPUTS]; /* of all frames */
  EnsPlan *plan;
  Store inputs[ENS_MAX_JOB_INPUTS], outputs[ENS_MAX_JOB_OUTPUTS];
  gpointer input_data[ENS_MAX_JOB_INPUTS], output_data[ENS_MAX_JOB_OUTPUTS];
  GArray *images; /* EnsPreprocessedImages, of those frames that have come */
} Joint;

struct _EnsBatchRun {
  guint n_frames;
  GPtrArray *joints; /* Joint; what is not in use stays for its memory */
  guint n_joints;    /* in use, the first ones */
  guint failed;      /* the one that was planned last */
};

/* ---- Work ---- */

/* Whether both are runs of the same plan. */
static gboolean
has_same_plan (const EnsBatchPart *a, const EnsBatchPart *b)
{
  if (a->network != b->network)
    return FALSE;
  for (guint i = 0; i < ens_network_get_n_inputs (a->network); i++)
    if (!ens_shape_equal (&a->shapes[i], &b->shapes[i]))
      return FALSE;
  return TRUE;
}

static gboolean
is_like (const EnsBatchPart *a, const EnsBatchPart *b)
{
  return (a->inputs == NULL) == (b->inputs == NULL) && has_same_plan (a, b);
}

gboolean
ens_batch_work_is_like (const EnsBatchWork *a, const EnsBatchWork *b)
{
  if (a->n_parts != b->n_parts)
    return FALSE;
  for (guint p = 0; p < a->n_parts; p++)
    if (!is_like (&a->parts[p], &b->parts[p]))
      return FALSE;
  return TRUE;
}

/* A plan can't be run with itself. */
static gboolean
has_plan_twice (const EnsBatchWork *work)
{
  for (guint p = 1; p < work->n_parts; p++)
    for (guint q = 0; q < p; q++)
      if (has_same_plan (&work->parts[p], &work->parts[q]))
        return TRUE;
  return FALSE;
}

guint
ens_batch_work_get_most (const EnsBatchWork *work)
{
  gsize size = 0;

  if (has_plan_twice (work))
    return 1;
  for (guint p = 0; p < work->n_parts; p++)
    for (guint i = 0; i < ens_network_get_n_inputs (work->parts[p].network); i++)
      size += (gsize)ens_shape_elements (&work->parts[p].shapes[i]) * sizeof (float);
  return (guint)MAX (MAX_GATHERED / MAX (size, 1), 1);
}

/* ---- Running ---- */

static void
joint_clear (Joint *joint)
{
  g_clear_pointer (&joint->plan, ens_plan_unref);
  g_clear_pointer (&joint->network, ens_network_unref);
  g_array_set_size (joint->images, 0);
}

static void
joint_free (gpointer data)
{
  Joint *joint = data;

  joint_clear (joint);
  for (guint i = 0; i < ENS_MAX_JOB_INPUTS; i++)
    ens_block_free (joint->inputs[i].data);
  for (guint i = 0; i < ENS_MAX_JOB_OUTPUTS; i++)
    ens_block_free (joint->outputs[i].data);
  g_array_unref (joint->images);
  g_free (joint);
}

EnsBatchRun *
ens_batch_run_new (void)
{
  EnsBatchRun *run = g_new0 (EnsBatchRun, 1);

  run->joints = g_ptr_array_new_with_free_func (joint_free);
  return run;
}

void
ens_batch_run_free (EnsBatchRun *run)
{
  g_ptr_array_unref (run->joints);
  g_free (run);
}

static Joint *
get_joint (const EnsBatchRun *run, guint p)
{
  return g_ptr_array_index (run->joints, p);
}

static Joint *
get_new_joint (EnsBatchRun *run, guint p)
{
  if (p == run->joints->len) {
    Joint *joint = g_new0 (Joint, 1);

    joint->images = g_array_new (FALSE, TRUE, sizeof (EnsPreprocessedImages));
    g_ptr_array_add (run->joints, joint);
  }
  return get_joint (run, p);
}

void
ens_batch_run_begin (EnsBatchRun *run, const EnsBatchWork *work, guint n)
{
  run->n_frames = n;
  run->n_joints = work->n_parts;
  for (guint p = 0; p < work->n_parts; p++) {
    const EnsBatchPart *part = &work->parts[p];
    Joint *joint = get_new_joint (run, p);

    joint_clear (joint);
    joint->network = ens_network_ref (part->network);
    joint->n_inputs = ens_network_get_n_inputs (part->network);
    joint->n_outputs = ens_network_get_n_outputs (part->network);
    joint->on_device = part->inputs == NULL;
    for (guint i = 0; i < joint->n_inputs; i++) {
      joint->shapes[i] = part->shapes[i];
      joint->shapes[i].dims[0] *= n;
    }
  }
}

static gboolean
reserve (Store *store, gsize size, GError **error)
{
  if (store->size >= size)
    return TRUE;
  ens_block_free (store->data);
  store->data = ens_block_try_new (size);
  store->size = store->data != NULL ? size : 0;
  return store->data != NULL
         || ens_fail (error, ENS_ERROR_RESOURCE, "batch",
                      "there is no memory left for %" G_GSIZE_FORMAT " bytes of several frames",
                      size);
}

static gboolean
reserve_arrays (Joint *joint, GError **error)
{
  for (guint i = 0; i < joint->n_inputs && !joint->on_device; i++) {
    if (!reserve (&joint->inputs[i], (gsize)ens_shape_elements (&joint->shapes[i]) * sizeof (float),
                  error))
      return FALSE;
    joint->input_data[i] = joint->inputs[i].data;
  }
  for (guint i = 0; i < joint->n_outputs; i++) {
    const EnsShape *shape = ens_plan_get_output_shape (joint->plan, i);

    if (!reserve (&joint->outputs[i], (gsize)ens_shape_elements (shape) * sizeof (float), error))
      return FALSE;
    joint->output_data[i] = joint->outputs[i].data;
  }
  return TRUE;
}

static gboolean
check_plan (const Joint *joint, GError **error)
{
  if (!ens_plan_is_per_image (joint->plan))
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, "batch",
                     "what the network makes of an image depends on the others");
  return !joint->on_device || ens_plan_check_whole (joint->plan, error);
}

static gboolean
plan (Joint *joint, GCancellable *cancellable, GError **error)
{
  joint->plan = ens_network_plan_cancellable (joint->network, joint->shapes, cancellable, error);
  if (joint->plan == NULL)
    return FALSE;
  if (check_plan (joint, error) && reserve_arrays (joint, error))
    return TRUE;
  ens_network_drop_plan (joint->network, joint->plan);
  return FALSE;
}

gboolean
ens_batch_run_plan (EnsBatchRun *run, GCancellable *cancellable, GError **error)
{
  for (run->failed = 0; run->failed < run->n_joints; run->failed++) {
    Joint *joint = get_joint (run, run->failed);

    if (!plan (joint, cancellable, error))
      return FALSE;
    g_array_set_size (joint->images, joint->on_device ? run->n_frames : 0);
  }
  return TRUE;
}

/* Where the part of frame i begins in an array of all frames of that shape. */
static gsize
get_frame_size (const EnsBatchRun *run, const EnsShape *shape)
{
  return (gsize)ens_shape_elements (shape) / run->n_frames * sizeof (float);
}

void
ens_batch_run_gather (EnsBatchRun *run, guint i, const EnsBatchWork *work)
{
  for (guint p = 0; p < run->n_joints; p++) {
    const EnsBatchPart *part = &work->parts[p];
    Joint *joint = get_joint (run, p);

    if (joint->on_device)
      g_array_index (joint->images, EnsPreprocessedImages, i) =
          (EnsPreprocessedImages) {work->preprocessor, part->tables};
    for (guint k = 0; k < joint->n_inputs && !joint->on_device; k++) {
      gsize size = get_frame_size (run, &joint->shapes[k]);

      memcpy (joint->inputs[k].data + i * size, part->inputs[k], size);
    }
  }
}

static gboolean
run_plans (const EnsBatchRun *run, GCancellable *cancellable, GError **error)
{
  g_autofree EnsPlanRun *runs = g_new (EnsPlanRun, run->n_joints);
  gboolean on_device = FALSE;

  for (guint p = 0; p < run->n_joints; p++) {
    Joint *joint = get_joint (run, p);

    runs[p] =
        (EnsPlanRun) {.plan = joint->plan,
                      .inputs = joint->on_device ? NULL : (const gconstpointer *)joint->input_data,
                      .outputs = (const gpointer *)joint->output_data,
                      .images = (const EnsPreprocessedImages *)joint->images->data,
                      .n_images = joint->images->len};
    on_device = on_device || joint->on_device;
  }
  if (!on_device)
    return ens_plans_run (runs, run->n_joints, cancellable, error);
  return ens_plans_run_preprocessed (runs, run->n_joints, cancellable)
         || (ens_check_cancelled (cancellable, error)
             && ens_fail (error, ENS_ERROR_DEVICE, "batch",
                          "the device can't run frames of several streams at once"));
}

gboolean
ens_batch_run_go (EnsBatchRun *run, GCancellable *cancellable, GError **error)
{
  if (run_plans (run, cancellable, error))
    return TRUE;
  for (guint p = 0; p < run->n_joints && ens_check_cancelled (cancellable, NULL); p++)
    ens_network_drop_plan (get_joint (run, p)->network, get_joint (run, p)->plan);
  return FALSE;
}

void
ens_batch_run_deal (const EnsBatchRun *run, guint i, const EnsBatchWork *work)
{
  for (guint p = 0; p < run->n_joints; p++) {
    const Joint *joint = get_joint (run, p);

    for (guint k = 0; k < joint->n_outputs; k++) {
      gsize size = get_frame_size (run, ens_plan_get_output_shape (joint->plan, k));

      memcpy (work->parts[p].outputs[k], joint->outputs[k].data + i * size, size);
    }
  }
}

void
ens_batch_run_end (EnsBatchRun *run)
{
  for (guint p = 0; p < run->n_joints; p++)
    joint_clear (get_joint (run, p));
  run->n_joints = 0;
}

guint
ens_batch_run_get_n_parts (const EnsBatchRun *run)
{
  return run->n_joints;
}

EnsNetwork *
ens_batch_run_get_network (const EnsBatchRun *run, guint p)
{
  return get_joint (run, p)->network;
}

guint
ens_batch_run_get_failed (const EnsBatchRun *run)
{
  return run->failed;
}

gsize
ens_batch_run_get_size (const EnsBatchRun *run, guint p)
{
  return (gsize)ens_shape_elements (&get_joint (run, p)->shapes[0]);
}
