/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames read where they lie in DMABufs against the same frames copied: layouts, drivers that
 * refuse, buffers that come again, changed or in another's place. By a driver that plays at it
 * (fake-dma-buf.h), and by the system's own if it can. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check-main.h"
#include "cpu/weights.h"
#include "fake-dma-buf.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "vision/batch-table.h"
#include "vision/frame.h"
#include "vulkan/executor.h"
#include "vulkan/imports.h"

#define WIDTH 9
#define HEIGHT 7
#define N_OUTPUT (2 * HEIGHT * WIDTH * 3)
#define FILE_SIZE ((gsize)1 << 16)

typedef struct {
  const char *name;
  EnsVulkanOptions options;
} Mode;

static const Mode modes[] = {
    {"fake", {.validation = TRUE, .wrap = fake_dma_buf_wrap}},
    {"fake-copying", {.validation = TRUE, .staged = TRUE, .wrap = fake_dma_buf_wrap}},
    {"system", {.validation = FALSE}},
};

/* ---- A device with a network that gives its input back, negated ---- */

typedef struct {
  EnsVulkanDevice *device;
  EnsThreadPool *pool;
  EnsVulkanWeights *weights;
  EnsPackedWeights *cpu_weights;
  EnsVulkanExecutor *executor;
  EnsVulkanPreprocessor *preprocessor;
} Fixture;

static EnsVulkanExecutor *
make_executor (const Fixture *fixture)
{
  EnsGraph *graph = ens_graph_new ("sampled");
  EnsValue *input =
      ens_graph_add_input (graph, "x", ENS_TYPE_FLOAT32, &ENS_SHAPE (2, HEIGHT, WIDTH, 3));
  g_autoptr (GError) error = NULL;
  EnsVulkanExecutor *executor;

  ens_graph_add_output (graph, ens_graph_apply (graph, ens_op_find ("Neg"), NULL, input, NULL));
  ens_passes_plan (graph, &input->shape, &error);
  ck_assert_no_error (error);
  executor = ens_vulkan_executor_new (
      graph,
      &(EnsVulkanContext) {fixture->device, fixture->weights, fixture->pool, fixture->cpu_weights},
      &error);
  ck_assert_no_error (error);
  return executor;
}

/* FALSE, and the test is skipped, if the device imports nothing. */
static gboolean
fixture_init (Fixture *fixture, const Mode *mode)
{
  g_autoptr (GError) error = NULL;

  *fixture = (Fixture) {ens_vulkan_device_open ("", &mode->options, &error)};
  if (fixture->device == NULL || ens_vulkan_device_get_info (fixture->device)->max_import == 0) {
    test_skip (error != NULL ? error->message : "it imports no DMABufs");
    return FALSE;
  }
  fixture->pool = ens_thread_pool_new (1);
  fixture->weights = ens_vulkan_weights_new (fixture->device);
  fixture->cpu_weights = ens_packed_weights_new ();
  fixture->executor = make_executor (fixture);
  fixture->preprocessor = ens_vulkan_preprocessor_new ();
  return TRUE;
}

static void
fixture_clear (Fixture *fixture)
{
  g_clear_pointer (&fixture->preprocessor, ens_vulkan_preprocessor_free);
  g_clear_pointer (&fixture->executor, ens_vulkan_executor_free);
  g_clear_pointer (&fixture->cpu_weights, ens_packed_weights_unref);
  g_clear_pointer (&fixture->weights, ens_vulkan_weights_unref);
  g_clear_pointer (&fixture->pool, ens_thread_pool_unref);
  if (fixture->device != NULL)
    ck_assert_uint_eq (ens_vulkan_device_get_counters (fixture->device).n_messages, 0);
  g_clear_pointer (&fixture->device, ens_vulkan_device_unref);
  ck_assert_int_eq (fake_dma_buf.n_live, 0);
  ck_assert_uint_eq (fake_dma_buf.n_wrong, 0);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Fixture, fixture_clear)

/* ---- Frames in files ---- */

/* What is in a file, random. */
static void
fill (gint fd, guint seed)
{
  guint8 *bytes = mmap (NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_autoptr (GRand) random = g_rand_new_with_seed (seed);

  ck_assert (bytes != MAP_FAILED);
  for (gsize i = 0; i < FILE_SIZE; i++)
    bytes[i] = (guint8)g_rand_int (random);
  munmap (bytes, FILE_SIZE);
}

static gint
make_file (guint seed)
{
  gint fd = fake_dma_buf_new (FILE_SIZE);

  fill (fd, seed);
  return fd;
}

/* Layouts. */
typedef struct {
  const char *name;
  EnsPixels pixels;
  guint width, height;
  gsize offsets[3], strides[3];
  guint files[3]; /* numbers of the files that planes lie in */
  /* How the driver is. */
  gboolean refuses, dedicated, distant;
  const char *copied; /* what is said if the frame is copied; NULL: it is read in place */
} Row;

static const Row rows[] = {
    {"nv12", ENS_PIXELS_NV12, 64, 48, {0, 3072}, {64, 64}},
    {"nv12-padded", ENS_PIXELS_NV12, 50, 30, {0, 4096}, {64, 128}},
    {"nv12-odd", ENS_PIXELS_NV12, 61, 47, {4, 8191}, {67, 71}},
    {"i420", ENS_PIXELS_I420, 64, 48, {0, 3072, 3840}, {64, 32, 32}},
    {"i420-odd", ENS_PIXELS_I420, 33, 25, {7, 4001, 6003}, {101, 61, 59}},
    {"i420-chroma-first", ENS_PIXELS_I420, 32, 32, {8192, 300, 0}, {48, 16, 16}},
    {"rgb", ENS_PIXELS_RGB, 40, 30, {0}, {120}},
    {"rgb-odd", ENS_PIXELS_RGB, 37, 29, {4099}, {113}},
    {"bgrx", ENS_PIXELS_BGRX, 40, 30, {256}, {192}},
    {"gray", ENS_PIXELS_GRAY8, 5, 3, {65521 - 2 * 5}, {5}},
    {"at-the-end", ENS_PIXELS_RGB, 4, 4, {FILE_SIZE - 48}, {12}},
    {"two-descriptors", ENS_PIXELS_NV12, 64, 48, {0, 3072}, {64, 64}, .files = {0, 3}},
    {"dedicated", ENS_PIXELS_NV12, 64, 48, {0, 3072}, {64, 64}, .dedicated = TRUE},
    {"distant", ENS_PIXELS_NV12, 64, 48, {0, 3072}, {64, 64}, .distant = TRUE},
    {"two-files",
     ENS_PIXELS_NV12,
     64,
     48,
     {0, 64},
     {64, 80},
     .files = {0, 1},
     .copied = "planes lie in several"},
    {"three-files",
     ENS_PIXELS_I420,
     64,
     48,
     {0, 8, 16},
     {64, 40, 48},
     .files = {0, 1, 2},
     .copied = "planes lie in several"},
    {"refused",
     ENS_PIXELS_I420,
     33,
     25,
     {7, 4001, 6003},
     {101, 61, 59},
     .refuses = TRUE,
     .copied = "vkAllocateMemory failed with VK_ERROR_INVALID_EXTERNAL_HANDLE"},
};

#define N_FILES 4 /* the last one is the first once more, by another descriptor */

typedef struct {
  gint fds[N_FILES];
  guint8 *bytes[N_FILES];
} Files;

static void
files_init (Files *files, guint seed)
{
  for (guint i = 0; i < N_FILES; i++) {
    files->fds[i] = i < 3 ? make_file (seed + i) : dup (files->fds[0]);
    files->bytes[i] = mmap (NULL, FILE_SIZE, PROT_READ, MAP_SHARED, files->fds[i], 0);
    ck_assert (files->bytes[i] != MAP_FAILED);
  }
}

static void
files_clear (Files *files)
{
  for (guint i = 0; i < N_FILES; i++) {
    munmap (files->bytes[i], FILE_SIZE);
    close (files->fds[i]);
  }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)

static EnsFrame
make_frame (const Row *row, const Files *files)
{
  EnsFrame frame = {.pixels = row->pixels,
                    .width = row->width,
                    .height = row->height,
                    .n_dma_bufs = ens_pixels_planes (row->pixels)};

  for (guint p = 0; p < frame.n_dma_bufs; p++) {
    frame.planes[p] = files->bytes[row->files[p]] + row->offsets[p];
    frame.strides[p] = row->strides[p];
    frame.dma_bufs[p] = (EnsDmaBuf) {files->fds[row->files[p]], row->offsets[p]};
  }
  ck_assert (ens_frame_validate (&frame, NULL));
  return frame;
}

/* ---- Sampling ---- */

/* Samples a frame, a new one for the preprocessor, and returns how many bytes that has uploaded. */
static gsize
sample (const Fixture *fixture, EnsVulkanPreprocessor *preprocessor, const EnsFrame *frame,
        float *output)
{
  static const EnsRect rects[] = {{0, 0, 1, 1}, {0.25F, 0.3F, 0.5F, 0.6F}};
  static const EnsNormalise colours = {ENS_ORDER_RGB, {1, 2, 3}, {1, 1, 1}};
  const EnsFramedResize sampling = {
      .framing = ENS_FRAMING_STRETCH, .width = WIDTH, .height = HEIGHT, .normalise = &colours};
  gsize before = ens_vulkan_device_get_counters (fixture->device).uploaded;
  g_auto (EnsBatchTable) table = {0};
  g_autoptr (GError) error = NULL;
  EnsPackedFrame packed;

  ens_packed_frame_init (&packed, frame, ens_vulkan_device_get_info (fixture->device)->max_import);
  ens_vulkan_preprocessor_set_frame (preprocessor, &packed);
  ck_assert (
      ens_batch_table_init (&table, &(EnsBatchSource) {frame, &packed, rects, 2}, &sampling));
  ens_vulkan_executors_run (&(EnsVulkanRun) {fixture->executor, NULL, (gpointer[]) {output},
                                             &(EnsPreprocessedImages) {preprocessor, &table}, 1},
                            1, NULL, &error);
  ck_assert_no_error (error);
  return ens_vulkan_device_get_counters (fixture->device).uploaded - before;
}

static gsize
count_bytes (const EnsFrame *frame)
{
  gsize n = 0;

  for (guint p = 0; p < ens_pixels_planes (frame->pixels); p++)
    n += ens_pixels_row_bytes (frame->pixels, p, frame->width)
         * ens_pixels_rows (frame->pixels, p, frame->height);
  return n;
}

/* The same bits as if it were copied; whether no byte of it was. */
static gboolean
check_frame (const Fixture *fixture, const EnsFrame *frame)
{
  g_autoptr (EnsVulkanPreprocessor) preprocessor = ens_vulkan_preprocessor_new ();
  float expected[N_OUTPUT], found[N_OUTPUT];
  EnsFrame plain = *frame;
  gsize n_copied, n_bytes = count_bytes (frame), n;

  plain.n_dma_bufs = 0;
  n_copied = sample (fixture, preprocessor, &plain, expected);
  n = sample (fixture, fixture->preprocessor, frame, found);
  ck_assert_bytes_eq (found, sizeof found, expected, sizeof expected);
  ck_assert_uint_gt (n_copied, n_bytes);
  if (n == n_copied - n_bytes)
    return TRUE;
  ck_assert_uint_ge (n, n_copied);
  return FALSE;
}

/* ---- What is logged ---- */

static GPtrArray *said;

static void
listen (const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
  if (strstr (message, "uploaded, not imported") != NULL) {
    ck_assert (level & G_LOG_LEVEL_INFO);
    g_ptr_array_add (said, g_strdup (message));
  } else if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)) {
    ck_abort_msg ("%s", message);
  }
}

/* ---- Tests ---- */

/* By mode and row: _i = mode × G_N_ELEMENTS (rows) + row. */
START_TEST (test_layout)
{
  const Mode *mode = &modes[(guint)_i / G_N_ELEMENTS (rows)];
  const Row *row = &rows[(guint)_i % G_N_ELEMENTS (rows)];
  gboolean is_fake = mode->options.wrap != NULL;
  g_auto (Fixture) fixture = {0};
  g_auto (Files) files = {0};
  EnsFrame frame;

  files_init (&files, 7);
  frame = make_frame (row, &files);
  fake_dma_buf =
      (FakeDmaBuf) {.refuses = row->refuses, .dedicated = row->dedicated, .distant = row->distant};
  if (!fixture_init (&fixture, mode))
    return;
  g_ptr_array_set_size (said, 0);
  /* Twice: reasons are told once. */
  for (guint i = 0; i < 2; i++)
    ck_assert_int_eq (check_frame (&fixture, &frame), row->copied == NULL);
  ck_assert_uint_eq (said->len, row->copied != NULL);
  if (row->copied != NULL)
    ck_assert_contains (g_ptr_array_index (said, 0), row->copied);
  if (!is_fake)
    return;
  ck_assert_uint_eq (fake_dma_buf.n_imports, row->copied == NULL);
  if (row->dedicated)
    ck_assert_uint_eq (fake_dma_buf.n_dedicated, 1);
  ck_assert_uint_eq (fake_dma_buf.n_acquired, row->copied == NULL ? 2 : 0);
  ck_assert_uint_eq (fake_dma_buf.n_released, fake_dma_buf.n_acquired);
  ck_assert_uint_eq (fake_dma_buf.n_dispatches, fake_dma_buf.n_acquired);
}
END_TEST

/* What neither the planes' places nor the file's size allow. */
START_TEST (test_unusable)
{
  static const Row row = {"nv12", ENS_PIXELS_NV12, 64, 48, {0, 3072}, {64, 64}};
  const Mode *mode = &modes[_i];
  g_auto (Fixture) fixture = {0};
  g_auto (Files) files = {0};
  EnsFrame frame;
  EnsPackedFrame packed;
  gsize max_import;

  fake_dma_buf = (FakeDmaBuf) {0};
  files_init (&files, 7);
  if (!fixture_init (&fixture, mode))
    return;
  max_import = ens_vulkan_device_get_info (fixture.device)->max_import;
  frame = make_frame (&row, &files);
  /* Behind the end of the file, as if it had been cut. */
  frame.dma_bufs[1].offset = FILE_SIZE - 100;
  ck_assert (!check_frame (&fixture, &frame));
  ck_assert_contains (g_ptr_array_index (said, said->len - 1), "a frame ends at byte");
  /* Farther apart than shaders read. */
  frame.dma_bufs[1].offset = max_import;
  ens_packed_frame_init (&packed, &frame, max_import);
  ck_assert_int_eq (packed.dma_buf, -1);
  ck_assert_uint_eq (packed.size, count_bytes (&frame));
  ck_assert_ptr_nonnull (packed.refusal);
  ck_assert (!check_frame (&fixture, &frame));
  /* Where no buffer reaches. */
  frame.dma_bufs[0].offset = G_MAXSIZE - 4000;
  frame.dma_bufs[1].offset = G_MAXSIZE - 928;
  ck_assert (!check_frame (&fixture, &frame));
  frame.dma_bufs[0].offset = G_MAXSSIZE;
  frame.dma_bufs[1].offset = G_MAXSSIZE + (gsize)3072;
  ck_assert (!check_frame (&fixture, &frame));
  frame.dma_bufs[0].offset = 0;
  /* No descriptor at all, or none for one plane. */
  frame.dma_bufs[1].fd = -1;
  ck_assert (!check_frame (&fixture, &frame));
  frame.dma_bufs[0].fd = frame.dma_bufs[1].fd = G_MAXINT;
  frame.dma_bufs[1].offset = 3072;
  ck_assert (!check_frame (&fixture, &frame));
  ck_assert_uint_eq (fake_dma_buf.n_imports, 0);
}
END_TEST

static const Row plain_row = {"rgb", ENS_PIXELS_RGB, 40, 30, {0}, {128}};

static void
check_file (const Fixture *fixture, gint fd)
{
  Files files = {.fds = {fd}};
  EnsFrame frame;

  files.bytes[0] = mmap (NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
  ck_assert (files.bytes[0] != MAP_FAILED);
  frame = make_frame (&plain_row, &files);
  ck_assert (check_frame (fixture, &frame));
  munmap (files.bytes[0], FILE_SIZE);
}

/* How many imports there have been; only the fake counts them. */
static void
check_imports (const Mode *mode, guint n, int n_live)
{
  if (mode->options.wrap == NULL)
    return;
  ck_assert_uint_eq (fake_dma_buf.n_imports, n);
  ck_assert_int_eq (fake_dma_buf.n_live, n_live);
}

/* As many buffers as a camera has, over and over, are imported once each and show what is new in
 * them; of more than are kept, the one that was used longest ago goes. */
START_TEST (test_round)
{
  const Mode *mode = &modes[_i];
  g_auto (Fixture) fixture = {0};
  gint fds[ENS_MAX_IMPORTS + 1];
  guint n_descriptors;

  fake_dma_buf = (FakeDmaBuf) {0};
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = make_file (i);
  if (!fixture_init (&fixture, mode))
    return;
  n_descriptors = fake_dma_buf_count_descriptors ();
  for (guint i = 0; i < 3 * ENS_MAX_IMPORTS; i++) {
    fill (fds[i % ENS_MAX_IMPORTS], 100 + i);
    check_file (&fixture, fds[i % ENS_MAX_IMPORTS]);
  }
  check_imports (mode, ENS_MAX_IMPORTS, ENS_MAX_IMPORTS);
  /* Each is kept open, so that no other file gets its inode. */
  ck_assert_uint_ge (fake_dma_buf_count_descriptors (), n_descriptors + ENS_MAX_IMPORTS);
  check_file (&fixture, fds[0]);
  check_file (&fixture, fds[ENS_MAX_IMPORTS]); /* in the place of the second one */
  check_imports (mode, ENS_MAX_IMPORTS + 1, ENS_MAX_IMPORTS);
  check_file (&fixture, fds[0]);
  check_imports (mode, ENS_MAX_IMPORTS + 1, ENS_MAX_IMPORTS);
  check_file (&fixture, fds[1]);
  check_imports (mode, ENS_MAX_IMPORTS + 2, ENS_MAX_IMPORTS);
  g_clear_pointer (&fixture.preprocessor, ens_vulkan_preprocessor_free);
  check_imports (mode, ENS_MAX_IMPORTS + 2, 0);
  ck_assert_uint_eq (fake_dma_buf_count_descriptors (), n_descriptors);
  for (guint i = 0; i < G_N_ELEMENTS (fds); i++)
    close (fds[i]);
}
END_TEST

/* Neither a descriptor's number nor an inode's stands for a buffer that is gone, and one that has
 * grown is another one. The files are on disk, where file systems reuse inodes at once. */
START_TEST (test_identity)
{
  const Mode *mode = &modes[_i];
  g_auto (Fixture) fixture = {0};

  fake_dma_buf = (FakeDmaBuf) {0};
  if (!fixture_init (&fixture, mode))
    return;
  for (guint i = 0; i < 5; i++) {
    g_autofree char *name = NULL;
    gint fd = g_file_open_tmp ("ensemble-imports-XXXXXX", &name, NULL);

    ck_assert_int_ge (fd, 0);
    ck_assert_int_eq (unlink (name), 0);
    ck_assert_int_eq (ftruncate (fd, FILE_SIZE), 0);
    fill (fd, 200 + i);
    check_file (&fixture, fd);
    check_imports (mode, 2 * i + 1, (int)MIN (2 * i + 1, ENS_MAX_IMPORTS));
    ck_assert_int_eq (ftruncate (fd, 2 * FILE_SIZE), 0);
    fill (fd, 300 + i);
    check_file (&fixture, fd);
    check_imports (mode, 2 * i + 2, (int)MIN (2 * i + 2, ENS_MAX_IMPORTS));
    close (fd);
  }
}
END_TEST

static void
add_layouts (guint mode)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    /* The system's driver is as it is. */
    if (modes[mode].options.wrap != NULL
        || !(rows[i].refuses || rows[i].dedicated || rows[i].distant))
      test_add_row (modes[mode].name, rows[i].name, test_layout, mode * G_N_ELEMENTS (rows) + i);
}

int
main (int argc, char **argv)
{
  int result;

  test_init (&argc, &argv);
  test_suite ("vulkan/imports");
  said = g_ptr_array_new_with_free_func (g_free);
  g_log_set_default_handler (listen, NULL);
  for (guint m = 0; m < G_N_ELEMENTS (modes); m++) {
    add_layouts (m);
    test_add_row (modes[m].name, "unusable", test_unusable, m);
    test_add_row (modes[m].name, "round", test_round, m);
    test_add_row (modes[m].name, "identity", test_identity, m);
  }
  result = test_run ();
  g_ptr_array_unref (said);
  return result;
}
