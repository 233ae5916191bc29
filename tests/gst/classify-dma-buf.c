/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ensembleclassify on buffers in DMABufs and a device that imports them: nothing is copied, the
 * same is found, and buffers go back to their pool when they have been analysed. The device is
 * software Vulkan behind a driver that plays at importing (../vulkan/fake-dma-buf.h), files in
 * memory are the DMABufs. */
#include <gst/allocators/gstdmabuf.h>
#include <unistd.h>

#include "../vulkan/fake-dma-buf.h"
#include "classify-fixture.h"
#include "engine/device-private.h"
#include "ensemble-classify.h"

#define RED 0xff0000
#define GREEN 0x00ff00
#define BLUE 0x0000ff
#define FILE_SIZE 16384

/* The linker puts this in place of the element's call (--wrap). */
EnsDevice *__wrap_ens_device_open (const char *name, guint n_threads, GError **error);

EnsDevice *
__wrap_ens_device_open (const char *name, guint n_threads, GError **error)
{
  static const EnsVulkanOptions options = {.wrap = fake_dma_buf_wrap};

  return ens_device_open_vulkan ("", n_threads, &options, error);
}

/* FALSE, and the test is skipped, without such a device. */
static gboolean
has_device (Classify *classify)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (EnsDevice) device = NULL;

  fake_dma_buf = (FakeDmaBuf) {0};
  device = __wrap_ens_device_open ("vulkan", 1, &error);
  g_object_set (classify->element, "device", "vulkan", NULL);
  if (device != NULL && ens_device_imports_dma_bufs (device))
    return TRUE;
  test_skip (error != NULL ? error->message : "it can't play at importing DMABufs");
  return FALSE;
}

static gsize
get_n_uploaded (Classify *classify)
{
  EnsEnsemble *ensemble = GST_ENSEMBLE_CLASSIFY (classify->element)->ensemble;
  g_autoptr (EnsVulkanDevice) vulkan = ens_device_ref_vulkan (ens_ensemble_get_device (ensemble));

  return ens_vulkan_device_get_counters (vulkan).uploaded;
}

/* ---- Buffers ---- */

/* Takes the descriptor. */
static GstMemory *
make_memory (gint fd)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();

  return gst_dmabuf_allocator_alloc (allocator, fd, FILE_SIZE);
}

/* How a frame lies in memory. */
typedef struct {
  const char *name, *format;
  guint width, height;
  gsize offsets[GST_VIDEO_MAX_PLANES];
  gint strides[GST_VIDEO_MAX_PLANES];
  guint n_parts; /* 0: one memory; else one for each plane, of one DMABuf, as libcamera's */
  guint n_files; /* 0: one; else one for each plane */
  gboolean copied;
} Row;

static const Row rows[] = {
    {"nv12", "NV12", 32, 24, {0, 768}, {32, 32}},
    {"nv12-padded", "NV12", 33, 25, {64, 4096}, {64, 80}},
    {"i420", "I420", 33, 25, {7, 4000, 6000}, {101, 61, 59}},
    {"yv12", "YV12", 32, 24, {0, 1024, 2048}, {40, 24, 24}},
    {"rgb", "RGB", 32, 24, {0}, {96}},
    {"bgrx", "BGRx", 31, 24, {128}, {256}},
    {"gray8", "GRAY8", 32, 24, {0}, {32}},
    {"parts", "NV12", 32, 24, {0, 4096}, {32, 32}, .n_parts = 2},
    {"files", "NV12", 32, 24, {0, FILE_SIZE}, {32, 32}, .n_files = 2, .copied = TRUE},
};

/* The planes' parts of one DMABuf, which follow each other in the buffer as they do there. */
static void
append_parts (GstBuffer *buffer, const Row *row)
{
  gint fd = fake_dma_buf_new (FILE_SIZE);

  for (guint i = 0; i < row->n_parts; i++) {
    gsize end = i + 1 < row->n_parts ? row->offsets[i + 1] : FILE_SIZE;
    GstMemory *memory = make_memory (dup (fd));

    gst_memory_resize (memory, (gssize)row->offsets[i], end - row->offsets[i]);
    gst_buffer_append_memory (buffer, memory);
  }
  close (fd);
}

static GstBuffer *
make_buffer (const Row *row, gboolean in_dma_buf)
{
  GstVideoFormat format = gst_video_format_from_string (row->format);
  guint n_planes = GST_VIDEO_FORMAT_INFO_N_PLANES (gst_video_format_get_info (format));
  GstBuffer *buffer = gst_buffer_new ();
  Row layout = *row;

  if (in_dma_buf && row->n_parts > 0)
    append_parts (buffer, row);
  else
    for (guint i = 0; i < MAX (1, row->n_files); i++)
      gst_buffer_append_memory (buffer, in_dma_buf ? make_memory (fake_dma_buf_new (FILE_SIZE))
                                                   : gst_allocator_alloc (NULL, FILE_SIZE, NULL));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, format, row->width,
                                  row->height, n_planes, layout.offsets, layout.strides);
  return buffer;
}

static GstBuffer *
push_row (Classify *classify, const Row *row, gboolean in_dma_buf, guint colour)
{
  GstBuffer *buffer = make_buffer (row, in_dma_buf);

  classify_fill_frame (classify, buffer, colour);
  ck_assert_int_eq (gst_harness_push (classify->harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (classify->harness);
}

/* A pool of such buffers, which counts them. */
typedef struct {
  GstBufferPool parent;
  guint n_made, n_freed;
} TestPool;

typedef GstBufferPoolClass TestPoolClass;

GType test_pool_get_type (void);
G_DEFINE_TYPE (TestPool, test_pool, GST_TYPE_BUFFER_POOL)

static GstFlowReturn
make_pooled (GstBufferPool *pool, GstBuffer **buffer, GstBufferPoolAcquireParams *params)
{
  ((TestPool *)pool)->n_made++;
  *buffer = make_buffer (&(Row) {NULL, "RGB", 32, 24, {0}, {96}}, TRUE);
  return GST_FLOW_OK;
}

static void
free_pooled (GstBufferPool *pool, GstBuffer *buffer)
{
  ((TestPool *)pool)->n_freed++;
  gst_buffer_unref (buffer);
}

static void
test_pool_class_init (TestPoolClass *klass)
{
  klass->alloc_buffer = make_pooled;
  klass->free_buffer = free_pooled;
}

static void
test_pool_init (TestPool *pool)
{
}

static TestPool *
make_pool (guint n)
{
  TestPool *pool = g_object_new (test_pool_get_type (), NULL);
  GstStructure *config = gst_buffer_pool_get_config (GST_BUFFER_POOL (pool));

  gst_object_ref_sink (pool);
  gst_buffer_pool_config_set_params (config, NULL, FILE_SIZE, n, n);
  ck_assert (gst_buffer_pool_set_config (GST_BUFFER_POOL (pool), config));
  ck_assert (gst_buffer_pool_set_active (GST_BUFFER_POOL (pool), TRUE));
  return pool;
}

/* NULL if all are in use. */
static GstBuffer *
acquire (TestPool *pool)
{
  GstBufferPoolAcquireParams params = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};
  GstBuffer *buffer = NULL;

  gst_buffer_pool_acquire_buffer (GST_BUFFER_POOL (pool), &buffer, &params);
  return buffer;
}

/* Pushes one of the pool's buffers and returns what comes out. */
static GstBuffer *
push_pooled (Classify *classify, TestPool *pool, guint colour, GstClockTime pts)
{
  GstBuffer *buffer = acquire (pool);

  ck_assert_ptr_nonnull (buffer);
  classify_fill_frame (classify, buffer, colour);
  GST_BUFFER_PTS (buffer) = pts;
  ck_assert_int_eq (gst_harness_push (classify->harness, buffer), GST_FLOW_OK);
  return gst_harness_pull (classify->harness);
}

static guint
count_free (TestPool *pool)
{
  GstBuffer *buffers[8];
  guint n = 0;

  while ((buffers[n] = acquire (pool)) != NULL)
    n++;
  for (guint i = 0; i < n; i++)
    gst_buffer_unref (buffers[i]);
  return n;
}

/* All buffers have come back, and no other had to be made. */
static void
pool_clear (TestPool *pool, guint n)
{
  ck_assert_uint_eq (count_free (pool), n);
  ck_assert_uint_eq (pool->n_made, n);
  ck_assert_uint_eq (pool->n_freed, 0);
  gst_buffer_pool_set_active (GST_BUFFER_POOL (pool), FALSE);
  gst_object_unref (pool);
}

/* ---- Tests ---- */

static void
check_same (GstBuffer *a, GstBuffer *b)
{
  static const char *const names[] = {"red", "green", "blue"};

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    ck_assert_double_eq (classify_get_probability (a, names[i]),
                         classify_get_probability (b, names[i]));
}

/* The same frame in system memory and in DMABufs: the same probabilities, and of the latter no byte
 * is uploaded. */
START_TEST (test_layouts)
{
  if (!has_device (classify))
    return;
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  /* The second frame is as the first one, and yet analysed. */
  g_object_set (classify->element, "tile-tolerance", -1.0, "cpu-budget", G_GINT64_CONSTANT (0),
                NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const Row *row = &rows[i];
    g_autofree char *caps =
        g_strdup_printf ("video/x-raw, format=%s, width=%u, height=%u, framerate=25/1", row->format,
                         row->width, row->height);
    g_autoptr (GstBuffer) copied = NULL, imported = NULL;
    gsize before, n_copied, n_imported;
    guint n_imports = fake_dma_buf.n_imports;

    test_message ("%s", row->name);
    classify_play (classify, caps);
    before = get_n_uploaded (classify);
    copied = push_row (classify, row, FALSE, 0xff4020);
    n_copied = get_n_uploaded (classify) - before;
    imported = push_row (classify, row, TRUE, 0xff4020);
    n_imported = get_n_uploaded (classify) - before - n_copied;
    check_same (copied, imported);
    ck_assert_uint_eq (fake_dma_buf.n_imports - n_imports, !row->copied);
    if (row->copied)
      ck_assert_uint_eq (n_imported, n_copied);
    else
      ck_assert_uint_le (n_imported + row->width * row->height, n_copied);
  }
}
END_TEST

/* The latest result, on a frame that is not analysed. */
static void
check_latest (Classify *classify, TestPool *pool, const char *name, GstClockTime pts)
{
  static const char *const names[] = {"red", "green", "blue"};
  g_autoptr (GstBuffer) out = NULL;

  g_object_set (classify->element, "inference-interval", G_MAXUINT, NULL);
  out = push_pooled (classify, pool, RED, pts + FRAME);
  g_object_set (classify->element, "inference-interval", 1, NULL);
  ck_assert_uint_eq (classify_get_result (out)->pts, pts);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    ck_assert_int_eq (classify_get_probability (out, names[i]) > 0.5F,
                      g_str_equal (names[i], name));
}

/* While an analysis is held, its buffer and the newest are kept, and all others come back; the same
 * buffers, refilled, then show their new contents. */
START_TEST (test_held)
{
  static const struct {
    guint colour;
    const char *name;
  } rounds[] = {{RED, "red"}, {GREEN, "green"}, {BLUE, "blue"}};
  TestPool *pool;

  if (!has_device (classify))
    return;
  pool = make_pool (4);
  classify_play_mode (classify, "async");
  for (guint r = 0; r < G_N_ELEMENTS (rounds); r++) {
    GstClockTime start = r * 10 * FRAME;

    gate_close ();
    for (guint i = 0; i < 6; i++) {
      guint colour = i < 5 ? 0xffffff : rounds[r].colour;

      gst_buffer_unref (push_pooled (classify, pool, colour, start + i * FRAME));
      if (i == 0)
        gate_wait_arrived (1);
      ck_assert_uint_eq (count_free (pool), i == 0 ? 3 : 2);
    }
    gate_open ();
    while (classify_get_stat (classify, "analysed") < 2 * (r + 1))
      g_thread_yield ();
    ck_assert_uint_eq (count_free (pool), 4);
    check_latest (classify, pool, rounds[r].name, start + 5 * FRAME);
  }
  /* Six analyses of as many buffers. */
  ck_assert_uint_le (fake_dma_buf.n_imports, 4);
  pool_clear (pool, 4);
}
END_TEST

/* Buffers return to their pool whether the analysis or downstream releases them first. */
START_TEST (test_returns)
{
  for (guint downstream_first = 0; downstream_first < 2; downstream_first++) {
    TestPool *pool;
    GstBuffer *out;

    if (!has_device (classify))
      return;
    pool = make_pool (1);
    classify_play_mode (classify, "async");
    for (guint i = 0; i < 3; i++) {
      guint64 analysed = classify_get_stat (classify, "analysed");

      gate_close ();
      out = push_pooled (classify, pool, RED, i * FRAME);
      ck_assert_uint_eq (count_free (pool), 0);
      if (downstream_first)
        g_clear_pointer (&out, gst_buffer_unref);
      ck_assert_uint_eq (count_free (pool), 0);
      gate_open ();
      while (classify_get_stat (classify, "analysed") == analysed)
        g_thread_yield ();
      g_clear_pointer (&out, gst_buffer_unref);
      ck_assert_uint_eq (count_free (pool), 1);
    }
    gst_element_set_state (classify->element, GST_STATE_NULL);
    pool_clear (pool, 1);
  }
}
END_TEST

/* The pool's own buffers go downstream, analysed or not. */
static void
check_passed (Classify *classify, TestPool *pool, GstClockTime pts)
{
  GstBuffer *in = acquire (pool);
  g_autoptr (GstBuffer) out = NULL;

  classify_fill_frame (classify, in, RED);
  GST_BUFFER_PTS (in) = pts;
  gst_harness_push (classify->harness, in);
  out = gst_harness_pull (classify->harness);
  ck_assert (out == in);
}

START_TEST (test_passed)
{
  static const char *const modes[] = {"sync", "async"};
  TestPool *pool;

  if (!has_device (classify))
    return;
  pool = make_pool (3);
  g_object_set (classify->element, "inference-interval", 3, NULL);
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    classify_play_mode (classify, modes[m]);
    for (guint i = 0; i < 7; i++)
      check_passed (classify, pool, i * FRAME);
    gst_element_set_state (classify->element, GST_STATE_NULL);
  }
  pool_clear (pool, 3);
}
END_TEST

/* What is written downstream while a frame is held is not analysed. */
START_TEST (test_written)
{
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *first;
  TestPool *pool;

  if (!has_device (classify))
    return;
  pool = make_pool (2);
  classify_play_mode (classify, "async");
  gate_close ();
  first = push_pooled (classify, pool, RED, 0);
  gate_wait_arrived (1);
  first = gst_buffer_make_writable (first);
  gst_buffer_memset (first, 0, 0, gst_buffer_get_size (first));
  gst_buffer_unref (first);
  gate_open ();
  while (classify_get_stat (classify, "analysed") < 1)
    g_thread_yield ();
  gate_close ();
  out = push_pooled (classify, pool, GREEN, FRAME);
  ck_assert_double_gt (classify_get_probability (out, "red"), 0.5F);
  gate_open ();
  g_clear_pointer (&out, gst_buffer_unref);
  gst_element_set_state (classify->element, GST_STATE_NULL);
  pool_clear (pool, 2);
}
END_TEST

/* A flush and a stop let go what waits. */
START_TEST (test_interrupted)
{
  TestPool *pool;

  if (!has_device (classify))
    return;
  pool = make_pool (3);
  classify_play_mode (classify, "async");
  gate_close ();
  gst_buffer_unref (push_pooled (classify, pool, RED, 0));
  gate_wait_arrived (1);
  gst_buffer_unref (push_pooled (classify, pool, RED, FRAME));
  ck_assert_uint_eq (count_free (pool), 1);
  gst_harness_push_event (classify->harness, gst_event_new_flush_start ());
  ck_assert_uint_eq (count_free (pool), 2);
  gate_open ();
  gst_element_set_state (classify->element, GST_STATE_NULL);
  pool_clear (pool, 3);
  ck_assert_int_eq (fake_dma_buf.n_live, 0);
}
END_TEST

/* Upstream is asked for two buffers more, within what downstream has. */
START_TEST (test_allocation)
{
  static const struct {
    gboolean has_pool;
    guint min, max, wanted_min, wanted_max;
  } pools[] = {{FALSE, 0, 0, 2, 0}, {TRUE, 3, 0, 5, 0}, {TRUE, 3, 4, 5, 5}, {TRUE, 0, 8, 2, 8}};
  g_autoptr (GstCaps) caps = NULL;

  if (!has_device (classify))
    return;
  classify_play_mode (classify, "sync");
  caps = gst_pad_get_current_caps (classify->harness->srcpad);
  for (guint i = 0; i < G_N_ELEMENTS (pools); i++) {
    g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
    guint min, max;

    if (pools[i].has_pool)
      gst_query_add_allocation_pool (query, NULL, 2304, pools[i].min, pools[i].max);
    ck_assert (gst_pad_peer_query (classify->harness->srcpad, query));
    ck_assert_uint_eq (gst_query_get_n_allocation_pools (query), 1);
    gst_query_parse_nth_allocation_pool (query, 0, NULL, NULL, &min, &max);
    ck_assert_uint_eq (min, pools[i].wanted_min);
    ck_assert_uint_eq (max, pools[i].wanted_max);
  }
}
END_TEST

#if GST_CHECK_VERSION(1, 24, 0)
/* Caps of DMABufs: metadata say the same as they do of the format, or can't be used. */
START_TEST (test_caps)
{
  static const char caps[] = "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=NV12, "
                             "width=32, height=24, framerate=25/1";
  g_autoptr (GstBuffer) out = NULL;
  GstBuffer *buffers[2];

  if (!has_device (classify))
    return;
  gst_util_set_object_arg (G_OBJECT (classify->element), "mode", "sync");
  classify_play (classify, "video/x-raw, format=NV12, width=32, height=24, framerate=25/1");
  for (guint i = 0; i < G_N_ELEMENTS (buffers); i++) {
    buffers[i] = make_buffer (&rows[0], TRUE);
    classify_fill_frame (classify, buffers[i], 0xff4020);
  }
  classify_play (classify, caps);
  ck_assert_int_eq (gst_harness_push (classify->harness, buffers[0]), GST_FLOW_OK);
  out = gst_harness_pull (classify->harness);
  ck_assert_double_gt (classify_get_probability (out, "red"), 0.5F);
  ck_assert_double_lt (classify_get_probability (out, "blue"), 0.5F);
  ck_assert_uint_eq (fake_dma_buf.n_imports, 1);
  gst_buffer_get_video_meta (buffers[1])->format = GST_VIDEO_FORMAT_DMA_DRM;
  ck_assert_int_eq (gst_harness_push (classify->harness, buffers[1]), GST_FLOW_ERROR);
}
END_TEST
#endif

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/classify-dma-buf");
  test_fixture (classify_set_up, classify_tear_down);
  test_add ("layouts", test_layouts);
  test_add ("held", test_held);
  test_add ("returns", test_returns);
  test_add ("passed", test_passed);
  test_add ("written", test_written);
  test_add ("interrupted", test_interrupted);
  test_add ("allocation", test_allocation);
#if GST_CHECK_VERSION(1, 24, 0)
  test_add ("caps", test_caps);
#endif
  return test_run ();
}
