/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ensemble/member.h"

#include "engine/network-private.h"
#include "ensemble/bundle-private.h"
#include "ensemble/member-graph.h"

/* Bytes of a batch of images, so far as one image takes less. */
#define MAX_BATCH_SIZE (256 << 20)

/* The longer side of a scaled frame over the shorter one, at most. */
#define MAX_ASPECT 4

struct _EnsMember {
  const EnsBundleNetwork *settings;
  EnsDevice *device;
  EnsGraph *body;
  EnsMemberGeometry geometry;
  EnsGraph *classifier; /* NULL: gives features */
  EnsGraph *gate;       /* NULL: none */
  guint width, n_features;
  GMutex lock; /* guards whole */
  /* By whether they give features beside probabilities, and number of scales, made when first asked
   * for. */
  EnsNetwork *whole[2][ENS_MAX_SCALES + 1];
  EnsNetwork *windows; /* NULL: takes none */
};

/* The first one that was made. */
static EnsNetwork *
get_first (const EnsMember *member)
{
  return member->whole[FALSE][member->settings->n_scales];
}

/* All networks of a member have their weights from the first one. */
static EnsNetwork *
make_network (EnsMember *member, guint n_inputs, gboolean flip, const EnsMemberHead *head,
              GError **error)
{
  EnsNetwork *first = get_first (member);
  EnsGraph *graph = ens_member_join (member->body, n_inputs, flip, head);

  return first == NULL ? ens_network_new (graph, member->device, error)
                       : ens_network_new_beside (graph, first, error);
}

/* The network that takes the whole frame at so many scales, and gives features too, or not.
 * (transfer none) */
static EnsNetwork *
get_whole (EnsMember *member, guint n_scales, gboolean features, GError **error)
{
  const EnsMemberHead head = {.classifier = member->classifier,
                              .calibration = member->settings->calibration,
                              .n_classes = member->width,
                              .gate = member->gate,
                              .features = features};
  EnsNetwork **network = &member->whole[features ? 1 : 0][n_scales];
  EnsNetwork *made;

  g_mutex_lock (&member->lock);
  if (*network == NULL)
    *network = make_network (member, n_scales, member->settings->flip, &head, error);
  made = *network;
  g_mutex_unlock (&member->lock);
  return made;
}

/* (transfer full) */
static EnsGraph *
load_classifier (const EnsMemberSource *source, const char *path, guint n_features, GError **error)
{
  EnsGraph *graph = ens_member_load_classifier (path, n_features, source->n_classes, error);

  if (graph == NULL || source->only == NULL)
    return graph;
  return ens_member_select_class (graph, source->n_classes, *source->only);
}

static gboolean
make_windows (EnsMember *member, const EnsMemberSource *source, guint n_features, GError **error)
{
  const EnsBundleNetwork *settings = member->settings;
  EnsMemberHead head = {.calibration = settings->window_calibration,
                        .n_classes = member->width,
                        .gate = member->gate};
  g_autoptr (EnsGraph) classifier = NULL;

  if (settings->n_window_sizes == 0
      || (source->classifier != NULL && source->window_classifier == NULL))
    return TRUE;
  if (source->classifier != NULL) {
    classifier = load_classifier (source, source->window_classifier, n_features, error);
    if (classifier == NULL)
      return FALSE;
  }
  head.classifier = classifier;
  member->windows = make_network (member, settings->n_window_sizes, FALSE, &head, error);
  return member->windows != NULL;
}

EnsMember *
ens_member_new (const EnsMemberSource *source, EnsDevice *device, GError **error)
{
  g_autoptr (EnsMember) member = g_new0 (EnsMember, 1);
  guint n_features;

  g_mutex_init (&member->lock);
  member->settings = source->settings;
  member->device = ens_device_ref (device);
  member->body = ens_member_body (source->network, source->classifier != NULL, source->settings,
                                  &n_features, &member->geometry, error);
  if (member->body == NULL)
    return NULL;
  member->width = member->n_features = n_features;
  if (source->classifier != NULL) {
    member->width = source->only != NULL ? 1 : source->n_classes;
    member->classifier = load_classifier (source, source->classifier, n_features, error);
    if (member->classifier == NULL)
      return NULL;
  }
  if (source->gate != NULL) {
    member->gate = load_classifier (source, source->gate, n_features, error);
    if (member->gate == NULL)
      return NULL;
  }
  if (get_whole (member, source->settings->n_scales, FALSE, error) == NULL
      || !make_windows (member, source, n_features, error))
    return NULL;
  return g_steal_pointer (&member);
}

void
ens_member_free (EnsMember *member)
{
  if (member == NULL)
    return;
  for (guint i = 0; i <= ENS_MAX_SCALES; i++) {
    g_clear_pointer (&member->whole[FALSE][i], ens_network_unref);
    g_clear_pointer (&member->whole[TRUE][i], ens_network_unref);
  }
  g_clear_pointer (&member->windows, ens_network_unref);
  g_clear_pointer (&member->body, ens_graph_free);
  g_clear_pointer (&member->classifier, ens_graph_free);
  g_clear_pointer (&member->gate, ens_graph_free);
  ens_device_unref (member->device);
  g_mutex_clear (&member->lock);
  g_free (member);
}

guint
ens_member_get_width (const EnsMember *member)
{
  return member->width;
}

guint
ens_member_get_n_features (const EnsMember *member)
{
  return member->n_features;
}

gboolean
ens_member_takes_windows (const EnsMember *member)
{
  return member->windows != NULL;
}

gboolean
ens_member_has_gate (const EnsMember *member)
{
  return member->gate != NULL;
}

const EnsMemberGeometry *
ens_member_get_geometry (const EnsMember *member)
{
  return &member->geometry;
}

const char *const *
ens_member_get_notes (EnsMember *member)
{
  return ens_network_get_notes (get_first (member));
}

gsize
ens_member_get_weights_size (EnsMember *member)
{
  return ens_network_get_weights_size (get_first (member));
}

gboolean
ens_member_check_scales (EnsMember *member, const guint *scales, guint n_scales, GError **error)
{
  const guint channels = ens_order_channels (member->settings->normalise.order);
  EnsShape shapes[ENS_MAX_SCALES];
  EnsNetwork *network;

  g_return_val_if_fail (n_scales <= ENS_MAX_SCALES, FALSE);

  for (guint i = 0; i < n_scales; i++) {
    g_autofree char *reason = NULL;

    if (!ens_member_geometry_takes (&member->geometry, scales[i], &reason)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_SHAPE, "network “%s” %s, not of %u",
                   member->settings->name, reason, scales[i]);
      return FALSE;
    }
    shapes[i] = ENS_SHAPE (1, scales[i], scales[i], channels);
    ens_member_geometry_fit (&member->geometry, &shapes[i]);
  }
  network = get_whole (member, n_scales, FALSE, error);
  if (network != NULL && ens_network_check (network, shapes, error))
    return TRUE;
  g_prefix_error (error, "network “%s”: ", member->settings->name);
  return FALSE;
}

/* ---- Running ---- */

struct _EnsMemberJobs {
  EnsMember *member;
  EnsJobs *own; /* NULL: the queue is others' */
  EnsJobs *queue;
};

EnsMemberJobs *
ens_member_jobs_new_among (EnsMember *member, EnsJobs *queue)
{
  EnsMemberJobs *jobs = g_new0 (EnsMemberJobs, 1);

  jobs->member = member;
  jobs->queue = queue;
  return jobs;
}

EnsMemberJobs *
ens_member_jobs_new (EnsMember *member)
{
  EnsJobs *own = ens_jobs_new (member->device, FALSE);
  EnsMemberJobs *jobs = ens_member_jobs_new_among (member, own);

  jobs->own = own;
  return jobs;
}

void
ens_member_jobs_free (EnsMemberJobs *jobs)
{
  if (jobs == NULL)
    return;
  ens_jobs_free (jobs->own);
  g_free (jobs);
}

/* Plans `network` for *n images, or for half as many and so on where those take too much memory. */
static EnsPlan *
plan_images (EnsMemberJobs *jobs, EnsNetwork *network, EnsShape *shapes, guint *n, GError **error)
{
  for (;; *n /= 2) {
    g_autoptr (GError) found = NULL;
    EnsPlan *plan;

    for (guint i = 0; i < ens_network_get_n_inputs (network); i++)
      shapes[i].dims[0] = *n;
    plan = ens_jobs_plan (jobs->queue, network, shapes, &found);
    if (plan != NULL || *n == 1 || !g_error_matches (found, ENS_ERROR, ENS_ERROR_RESOURCE)) {
      if (plan == NULL)
        g_propagate_prefixed_error (error, g_steal_pointer (&found),
                                    "network “%s”: ", jobs->member->settings->name);
      return plan;
    }
  }
}

/* Adds the job for its first *n images, or as many as memory allows: *n is set to that. */
static gboolean
run_network (EnsMemberJobs *jobs, EnsNetwork *network, EnsShape *shapes, EnsJob *job, guint *n,
             GError **error)
{
  g_autoptr (EnsPlan) plan = plan_images (jobs, network, shapes, n, error);

  if (plan == NULL)
    return FALSE;
  job->plan = plan;
  job->network = network;
  job->n_inputs = ens_network_get_n_inputs (network);
  job->shapes = shapes;
  job->crop = jobs->member->settings->crop;
  job->normalise = &jobs->member->settings->normalise;
  return ens_jobs_add (jobs->queue, job, error);
}

/* Where the results of images from `first` on go. */
static void
set_outputs (const EnsMember *member, const EnsMemberImages *images, guint first, float *values,
             EnsJob *job)
{
  guint n = 0;

  job->outputs[n++] = &values[(gsize)first * member->width];
  if (member->gate != NULL)
    job->outputs[n++] = &images->similarities[(gsize)first * member->width];
  if (images->features != NULL)
    job->outputs[n] = &images->features[(gsize)first * member->n_features];
}

/* Batches of the largest size, then of half of it and so on: few plans for any number of images,
 * and no empty places in a batch. */
static guint
batch_size (guint left, guint largest)
{
  guint size = largest;

  while (size > left)
    size /= 2;
  return size;
}

/* Jobs that wait want batches of different sizes, because each size is a plan, which waits but
 * once: 100 windows are 64, 32 and 4. */
static guint
get_largest (const EnsMemberJobs *jobs, guint at_once, const EnsShape *shapes, guint n_shapes)
{
  guint64 size = 0;

  for (guint i = 0; i < n_shapes; i++)
    size += (guint64)ens_shape_span (&shapes[i], 1, 4) * sizeof (float);
  at_once = (guint)CLAMP (MAX_BATCH_SIZE / MAX (size, 1), 1, at_once);
  return ens_jobs_wait (jobs->queue) ? 4 * at_once : at_once;
}

/* The shapes of one image at its scales. */
static void
get_whole_shapes (const EnsMemberImages *images, const EnsMember *member, EnsShape *shapes)
{
  const EnsBundleNetwork *settings = member->settings;
  const guint channels = ens_order_channels (settings->normalise.order);
  guint image_width = (guint)(images->rects->width * images->frame->width + 0.5F);
  guint image_height = (guint)(images->rects->height * images->frame->height + 0.5F);

  for (guint i = 0; i < images->n_scales; i++) {
    guint width, height;

    if (settings->framing != ENS_FRAMING_SCALE) {
      shapes[i] = ENS_SHAPE (1, images->scales[i], images->scales[i], channels);
    } else {
      ens_frame_scaled_size (MAX (image_width, 1), MAX (image_height, 1), images->scales[i], &width,
                             &height);
      shapes[i] = ENS_SHAPE (1, MIN (height, MAX_ASPECT * images->scales[i]),
                             MIN (width, MAX_ASPECT * images->scales[i]), channels);
    }
    ens_member_geometry_fit (&member->geometry, &shapes[i]);
  }
}

/* Images can't keep their aspect ratio where the network takes one size alone. */
static EnsFraming
get_whole_framing (const EnsMember *member)
{
  return member->settings->framing == ENS_FRAMING_SCALE
                 && ens_member_geometry_is_fixed (&member->geometry)
             ? ENS_FRAMING_CROP
             : member->settings->framing;
}

gboolean
ens_member_jobs_run_whole (EnsMemberJobs *jobs, const EnsMemberImages *images, float *values,
                           GError **error)
{
  const EnsMember *member = jobs->member;
  EnsShape shapes[ENS_MAX_SCALES];
  EnsJob job = {.frame = images->frame, .framing = get_whole_framing (member)};
  EnsNetwork *network;
  guint largest;

  g_return_val_if_fail (images->n_scales > 0 && images->n_scales <= ENS_MAX_SCALES, FALSE);
  network = get_whole (jobs->member, images->n_scales, images->features != NULL, error);
  if (network == NULL)
    return FALSE;
  get_whole_shapes (images, member, shapes);
  largest = get_largest (jobs, ENS_WHOLE_BATCH, shapes, images->n_scales);
  for (guint done = 0; done < images->n_rects; done += largest) {
    largest = batch_size (images->n_rects - done, largest);
    job.rects = &images->rects[done];
    set_outputs (member, images, done, values, &job);
    if (!run_network (jobs, network, shapes, &job, &largest, error))
      return FALSE;
  }
  return TRUE;
}

static void
get_window_shapes (const EnsMember *member, EnsShape *shapes)
{
  const EnsBundleNetwork *settings = member->settings;
  const guint channels = ens_order_channels (settings->normalise.order);

  for (guint i = 0; i < settings->n_window_sizes; i++) {
    shapes[i] = ENS_SHAPE (1, settings->window_sizes[i], settings->window_sizes[i], channels);
    ens_member_geometry_fit (&member->geometry, &shapes[i]);
  }
}

gboolean
ens_member_jobs_run_windows (EnsMemberJobs *jobs, const EnsMemberImages *windows, float *values,
                             GError **error)
{
  const EnsMember *member = jobs->member;
  const EnsBundleNetwork *settings = member->settings;
  EnsShape shapes[ENS_MAX_SCALES];
  EnsJob job = {.frame = windows->frame, .framing = settings->window_framing};
  guint largest;

  g_return_val_if_fail (ens_member_takes_windows (member), FALSE);
  get_window_shapes (member, shapes);
  largest = get_largest (jobs, ENS_WINDOW_BATCH, shapes, settings->n_window_sizes);
  for (guint done = 0; done < windows->n_rects; done += largest) {
    largest = batch_size (windows->n_rects - done, largest);
    job.rects = &windows->rects[done];
    set_outputs (member, windows, done, values, &job);
    if (!run_network (jobs, member->windows, shapes, &job, &largest, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- Counting ---- */

static gboolean
count (EnsNetwork *network, const EnsShape *shapes, EnsMemberWork *work, GError **error)
{
  GError *reason = NULL;

  *work = (EnsMemberWork) {.operations = ens_network_count_operations (network, shapes, &reason)};
  for (guint i = 0; i < ens_network_get_n_inputs (network); i++)
    work->pixels += (double)shapes[i].dims[1] * (double)shapes[i].dims[2];
  if (reason != NULL)
    g_propagate_error (error, reason);
  return reason == NULL;
}

gboolean
ens_member_count_whole (EnsMember *member, const EnsMemberImages *image, EnsMemberWork *work,
                        GError **error)
{
  EnsNetwork *network = get_whole (member, image->n_scales, FALSE, error);
  EnsShape shapes[ENS_MAX_SCALES];

  if (network == NULL)
    return FALSE;
  get_whole_shapes (image, member, shapes);
  return count (network, shapes, work, error);
}

gboolean
ens_member_count_window (EnsMember *member, EnsMemberWork *work, GError **error)
{
  EnsShape shapes[ENS_MAX_SCALES];

  g_return_val_if_fail (ens_member_takes_windows (member), FALSE);
  get_window_shapes (member, shapes);
  return count (member->windows, shapes, work, error);
}
