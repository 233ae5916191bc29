/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame-bridge.h"

#include <gst/allocators/gstdmabuf.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check-main.h"

/* Where R, G, B stand in a pixel of the engine's packed formats, and its size. */
static const struct {
  guint offsets[3], size;
} packed[] = {
    [ENS_PIXELS_RGB] = {{0, 1, 2}, 3},  [ENS_PIXELS_BGR] = {{2, 1, 0}, 3},
    [ENS_PIXELS_RGBX] = {{0, 1, 2}, 4}, [ENS_PIXELS_BGRX] = {{2, 1, 0}, 4},
    [ENS_PIXELS_XRGB] = {{1, 2, 3}, 4}, [ENS_PIXELS_XBGR] = {{3, 2, 1}, 4},
};

static guint8
pattern (guint component, guint x, guint y)
{
  return (guint8)(component * 80 + x * 7 + y * 13 + 1);
}

static guint8
read_component (const EnsFrame *frame, guint component, guint x, guint y)
{
  switch (frame->pixels) {
  case ENS_PIXELS_GRAY8:
    return frame->planes[0][y * frame->strides[0] + x];
  case ENS_PIXELS_I420:
    return frame->planes[component][y * frame->strides[component] + x];
  case ENS_PIXELS_NV12:
    return component == 0 ? frame->planes[0][y * frame->strides[0] + x]
                          : frame->planes[1][y * frame->strides[1] + 2 * x + component - 1];
  default:
    return frame->planes[0][y * frame->strides[0] + x * packed[frame->pixels].size
                            + packed[frame->pixels].offsets[component]];
  }
}

static void
fill (GstVideoFrame *video)
{
  for (guint c = 0; c < GST_VIDEO_FRAME_N_COMPONENTS (video); c++) {
    guint8 *data = GST_VIDEO_FRAME_COMP_DATA (video, c);

    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (video, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (video, c); x++)
        data[y * GST_VIDEO_FRAME_COMP_STRIDE (video, c)
             + x * GST_VIDEO_FRAME_COMP_PSTRIDE (video, c)] = pattern (c, x, y);
  }
}

static void
check (const EnsFrame *frame, const GstVideoFrame *video)
{
  guint n_components = frame->pixels == ENS_PIXELS_GRAY8 ? 1 : 3;

  ck_assert (ens_frame_validate (frame, NULL));
  ck_assert_int_eq (frame->width, GST_VIDEO_FRAME_WIDTH (video));
  ck_assert_int_eq (frame->height, GST_VIDEO_FRAME_HEIGHT (video));
  for (guint c = 0; c < n_components; c++)
    for (gint y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT (video, c); y++)
      for (gint x = 0; x < GST_VIDEO_FRAME_COMP_WIDTH (video, c); x++)
        ck_assert_uint_eq (read_component (frame, c, x, y), pattern (c, x, y));
}

/* Strides and offsets as no default layout has them: rows `padding` bytes longer, planes apart. */
static GstBuffer *
make_buffer (const GstVideoInfo *info, guint padding)
{
  gsize offsets[GST_VIDEO_MAX_PLANES] = {0}, size = padding;
  gint strides[GST_VIDEO_MAX_PLANES] = {0};
  GstBuffer *buffer;

  if (padding == 0)
    return gst_buffer_new_allocate (NULL, info->size, NULL);
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES (info); p++) {
    offsets[p] = size;
    strides[p] = GST_VIDEO_INFO_PLANE_STRIDE (info, p) + padding;
    size += (gsize)strides[p] * GST_VIDEO_INFO_HEIGHT (info) + padding;
  }
  buffer = gst_buffer_new_allocate (NULL, size, NULL);
  gst_buffer_memset (buffer, 0, 0xee, size);
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
                                  GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
                                  GST_VIDEO_INFO_N_PLANES (info), offsets, strides);
  return buffer;
}

static void
check_geometry (GstVideoFormat format, guint width, guint height, guint padding)
{
  g_autoptr (GstBuffer) buffer = NULL;
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (EnsPicture) wrapped = NULL;
  const guint8 *memory;
  GstVideoFrame video;
  GstVideoInfo info;
  EnsFrame frame;

  gst_video_info_set_format (&info, format, width, height);
  buffer = make_buffer (&info, padding);
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  fill (&video);
  gst_ensemble_describe_frame (&video, &frame);
  check (&frame, &video);

  picture = gst_ensemble_copy_frame (&video, NULL);
  check (&picture->frame, &video);
  memory = picture->frame.planes[0];
  picture = gst_ensemble_copy_frame (&video, g_steal_pointer (&picture));
  check (&picture->frame, &video);
  ck_assert (picture->frame.planes[0] == memory);
  gst_video_frame_unmap (&video);

  GST_BUFFER_PTS (buffer) = 40;
  wrapped = gst_ensemble_wrap_buffer (buffer, &info);
  ck_assert_uint_eq (wrapped->pts, 40);
  g_clear_pointer (&buffer, gst_buffer_unref);
  check (&wrapped->frame, &video);
}

static const char *const formats_names[] = {"NV12", "I420", "YV12", "RGB",  "BGR",
                                            "RGBx", "RGBA", "BGRx", "BGRA", "xRGB",
                                            "ARGB", "xBGR", "ABGR", "GRAY8"};

START_TEST (test_formats)
{
  static const guint sizes[][2] = {{1, 1}, {2, 2}, {3, 5}, {16, 9}, {17, 31}, {64, 2}};
  static const guint paddings[] = {0, 1, 13};

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (guint p = 0; p < G_N_ELEMENTS (paddings); p++) {
      test_message ("%s %ux%u, padding %u", formats_names[_i], sizes[s][0], sizes[s][1],
                    paddings[p]);
      check_geometry (gst_video_format_from_string (formats_names[_i]), sizes[s][0], sizes[s][1],
                      paddings[p]);
    }
}
END_TEST

/* Every format that caps offer is one the bridge takes, and no other. */
START_TEST (test_caps)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (GST_ENSEMBLE_CAPS);
  guint n_formats;
  const GstVideoFormat *formats = gst_video_formats_raw (&n_formats);

  for (guint i = 0; i < n_formats; i++) {
    g_autoptr (GstCaps) one = gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING,
                                                   gst_video_format_to_string (formats[i]), NULL);

    ck_assert_int_eq (gst_caps_can_intersect (caps, one),
                      gst_ensemble_format_supported (formats[i]));
  }
}
END_TEST

static const struct {
  const char *caps;
  EnsColorMatrix matrix;
  EnsRange range;
} colorimetry_rows[] = {
    {"format=I420, width=320, height=240, colorimetry=bt601", ENS_COLOR_MATRIX_BT601,
     ENS_RANGE_LIMITED},
    {"format=NV12, width=320, height=240, colorimetry=bt709", ENS_COLOR_MATRIX_BT709,
     ENS_RANGE_LIMITED},
    {"format=I420, width=320, height=240, colorimetry=1:4:0:0", ENS_COLOR_MATRIX_BT601,
     ENS_RANGE_FULL},
    {"format=I420, width=320, height=240, colorimetry=1:3:0:0", ENS_COLOR_MATRIX_BT709,
     ENS_RANGE_FULL},
    {"format=I420, width=320, height=240, colorimetry=bt2020", ENS_COLOR_MATRIX_BT709,
     ENS_RANGE_LIMITED},
    {"format=I420, width=320, height=240", ENS_COLOR_MATRIX_BT601, ENS_RANGE_LIMITED},
    {"format=I420, width=1920, height=1080", ENS_COLOR_MATRIX_BT709, ENS_RANGE_LIMITED},
    {"format=GRAY8, width=320, height=240", ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL},
    {"format=RGB, width=320, height=240", ENS_COLOR_MATRIX_BT601, ENS_RANGE_FULL},
};

START_TEST (test_colorimetry)
{
  g_autofree char *text = g_strdup_printf ("video/x-raw, %s", colorimetry_rows[_i].caps);
  g_autoptr (GstCaps) caps = gst_caps_from_string (text);
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoFrame video;
  GstVideoInfo info;
  EnsFrame frame;

  test_message ("%s", text);
  ck_assert (gst_video_info_from_caps (&info, caps));
  buffer = gst_buffer_new_allocate (NULL, info.size, NULL);
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_READ));
  gst_ensemble_describe_frame (&video, &frame);
  ck_assert_int_eq (frame.range, colorimetry_rows[_i].range);
  if (GST_VIDEO_INFO_IS_YUV (&info))
    ck_assert_int_eq (frame.matrix, colorimetry_rows[_i].matrix);
  gst_video_frame_unmap (&video);
}
END_TEST

/* Memory of another geometry is not used again. */
static const struct {
  const char *format;
  guint width, height;
} recycling_rows[] = {
    {"I420", 32, 32}, {"I420", 32, 16}, {"NV12", 32, 16}, {"RGB", 32, 16}, {"RGB", 8, 8}};

START_TEST (test_recycling)
{
  g_autoptr (EnsPicture) picture = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoFrame video;
  GstVideoInfo info;

  gst_video_info_set_format (&info, gst_video_format_from_string (recycling_rows[_i].format),
                             recycling_rows[_i].width, recycling_rows[_i].height);
  buffer = make_buffer (&info, 0);
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  fill (&video);
  picture = gst_ensemble_copy_frame (&video, g_steal_pointer (&picture));
  check (&picture->frame, &video);
  gst_video_frame_unmap (&video);
}
END_TEST

/* ---- A picture within a larger one ---- */

/* Of 32×16 pixels; what is asked for and what is described. */
static const struct {
  GstVideoFormat format;
  EnsRect asked, given; /* in pixels */
} crop_rows[] = {
    {GST_VIDEO_FORMAT_I420, {4, 2, 20, 8}, {4, 2, 20, 8}},
    {GST_VIDEO_FORMAT_NV12, {5, 3, 20, 8}, {4, 2, 20, 8}}, /* chroma begins on an even pixel */
    {GST_VIDEO_FORMAT_RGB, {5, 3, 20, 8}, {5, 3, 20, 8}},
    {GST_VIDEO_FORMAT_GRAY8, {31, 15, 1, 1}, {31, 15, 1, 1}},
    {GST_VIDEO_FORMAT_RGB, {16, 8, 32, 16}, {16, 8, 16, 8}}, /* cut to the frame */
    {GST_VIDEO_FORMAT_RGB, {40, 0, 8, 8}, {0, 0, 32, 16}},   /* nonsense */
    {GST_VIDEO_FORMAT_RGB, {0, 0, 0, 0}, {0, 0, 32, 16}},
};

START_TEST (test_crop)
{
  const EnsRect *asked = &crop_rows[_i].asked, *given = &crop_rows[_i].given;
  g_autoptr (EnsPicture) picture = NULL, wrapped = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoCropMeta *crop;
  GstVideoFrame video;
  GstVideoInfo info;

  gst_video_info_set_format (&info, crop_rows[_i].format, 32, 16);
  buffer = make_buffer (&info, 4);
  crop = gst_buffer_add_video_crop_meta (buffer);
  crop->x = (guint)asked->x;
  crop->y = (guint)asked->y;
  crop->width = (guint)asked->width;
  crop->height = (guint)asked->height;
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  fill (&video);
  picture = gst_ensemble_copy_frame (&video, NULL);
  gst_video_frame_unmap (&video);
  wrapped = gst_ensemble_wrap_buffer (buffer, &info);
  for (guint i = 0; i < 2; i++) {
    const EnsFrame *frame = i == 0 ? &picture->frame : &wrapped->frame;

    ck_assert_uint_eq (frame->width, (guint)given->width);
    ck_assert_uint_eq (frame->height, (guint)given->height);
    ck_assert_uint_eq (read_component (frame, 0, 0, 0),
                       pattern (0, (guint)given->x, (guint)given->y));
    if (ens_pixels_planes (frame->pixels) > 1)
      ck_assert_uint_eq (read_component (frame, 2, 1, 1),
                         pattern (2, (guint)given->x / 2 + 1, (guint)given->y / 2 + 1));
  }
}
END_TEST

/* ---- DMABufs, for which files in memory stand ---- */

#define FILE_SIZE 16384

/* A part of a file. Takes the descriptor. */
static GstMemory *
make_memory (gint fd, gsize offset)
{
  g_autoptr (GstAllocator) allocator = gst_dmabuf_allocator_new ();
  GstMemory *memory = gst_dmabuf_allocator_alloc (allocator, fd, FILE_SIZE);

  gst_memory_resize (memory, (gssize)offset, FILE_SIZE - offset);
  return memory;
}

/* Where planes lie in a buffer, and the buffer's memories in files. */
typedef struct {
  const char *name, *format;
  gsize offsets[GST_VIDEO_MAX_PLANES];
  gint strides[GST_VIDEO_MAX_PLANES];
  guint n_memories;
  guint files[2];
  gsize starts[2];
  gboolean is_system[2];
  /* What is found. */
  guint n_dma_bufs;
  gsize found[3];
  gboolean is_one;
} DmaBufRow;

static const DmaBufRow dma_buf_rows[] = {
    {"one", "NV12", {0, 2048}, {64, 64}, 1, {0}, {0}, {FALSE}, 2, {0, 2048}, TRUE},
    {"part", "NV12", {64, 2048}, {50, 60}, 1, {0}, {4096}, {FALSE}, 2, {4160, 6144}, TRUE},
    {"yv12", "YV12", {0, 2048, 4096}, {64, 32, 32}, 1, {0}, {0}, {FALSE}, 3, {0, 4096, 2048}, TRUE},
    {"rgb", "RGB", {32}, {128}, 1, {0}, {0}, {FALSE}, 1, {32}, TRUE},
    {"parts", "NV12", {0, 8192}, {64, 64}, 2, {0, 0}, {8192, 2048}, {FALSE}, 2, {8192, 2048}, TRUE},
    {"files", "NV12", {0, 16384}, {64, 64}, 2, {0, 1}, {0, 0}, {FALSE}, 2, {0, 0}, FALSE},
    {"half", "NV12", {0, 16384}, {64, 64}, 2, {0, 0}, {0, 0}, {FALSE, TRUE}, 0},
    {"system", "NV12", {0, 2048}, {64, 64}, 1, {0}, {0}, {TRUE}, 0},
};

static GstBuffer *
make_dma_buf (const DmaBufRow *row, const gint *fds, const GstVideoInfo *info)
{
  GstBuffer *buffer = gst_buffer_new ();
  DmaBufRow layout = *row;

  for (guint i = 0; i < row->n_memories; i++)
    gst_buffer_append_memory (buffer, row->is_system[i]
                                          ? gst_allocator_alloc (NULL, FILE_SIZE, NULL)
                                          : make_memory (dup (fds[row->files[i]]), row->starts[i]));
  gst_buffer_add_video_meta_full (buffer, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_INFO_FORMAT (info),
                                  GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
                                  GST_VIDEO_INFO_N_PLANES (info), layout.offsets, layout.strides);
  return buffer;
}

/* The DMABufs have the very bytes of the planes. */
static void
check_bytes (const EnsFrame *frame)
{
  for (guint p = 0; p < frame->n_dma_bufs; p++) {
    gsize size = (ens_pixels_rows (frame->pixels, p, frame->height) - 1) * frame->strides[p]
                 + ens_pixels_row_bytes (frame->pixels, p, frame->width);
    const guint8 *file = mmap (NULL, FILE_SIZE, PROT_READ, MAP_SHARED, frame->dma_bufs[p].fd, 0);

    ck_assert (file != MAP_FAILED);
    ck_assert_bytes_eq (frame->planes[p], size, file + frame->dma_bufs[p].offset, size);
    munmap ((gpointer)file, FILE_SIZE);
  }
}

static void
check_dma_buf (const DmaBufRow *row, const gint *fds)
{
  g_autoptr (EnsPicture) picture = NULL, one = NULL;
  g_autoptr (GstBuffer) buffer = NULL;
  GstVideoFrame video;
  GstVideoInfo info;

  test_message ("%s", row->name);
  gst_video_info_set_format (&info, gst_video_format_from_string (row->format), 34, 26);
  buffer = make_dma_buf (row, fds, &info);
  ck_assert (gst_video_frame_map (&video, &info, buffer, GST_MAP_WRITE));
  fill (&video);
  gst_video_frame_unmap (&video);
  picture = gst_ensemble_wrap_buffer (buffer, &info);
  check (&picture->frame, &video);
  ck_assert_uint_eq (picture->frame.n_dma_bufs, row->n_dma_bufs);
  for (guint p = 0; p < row->n_dma_bufs; p++)
    ck_assert_uint_eq (picture->frame.dma_bufs[p].offset, row->found[p]);
  check_bytes (&picture->frame);
  one = gst_ensemble_wrap_dma_buf (buffer, &info);
  ck_assert_int_eq (one != NULL, row->is_one);
  ck_assert_int_eq (ens_frame_is_dma_buf (&picture->frame), row->is_one);
}

START_TEST (test_dma_bufs)
{
  for (guint i = 0; i < G_N_ELEMENTS (dma_buf_rows); i++) {
    gint fds[2];

    for (guint f = 0; f < G_N_ELEMENTS (fds); f++) {
      fds[f] = memfd_create ("dma-buf", MFD_CLOEXEC);
      ck_assert_int_eq (ftruncate (fds[f], FILE_SIZE), 0);
    }
    check_dma_buf (&dma_buf_rows[i], fds);
    for (guint f = 0; f < G_N_ELEMENTS (fds); f++)
      close (fds[f]);
  }
}
END_TEST

#if GST_CHECK_VERSION(1, 24, 0)
/* DRM's names of formats are those of formats that the bridge takes, all of them but GRAY8. */
START_TEST (test_drm_formats)
{
  g_autoptr (GstCaps) caps = gst_caps_from_string (GST_ENSEMBLE_CAPS GST_ENSEMBLE_DMA_BUF_CAPS);
  const GValue *list = gst_structure_get_value (gst_caps_get_structure (caps, 1), "drm-format");
  guint n = gst_value_list_get_size (list);

  for (guint i = 0; i < n; i++) {
    const char *name = g_value_get_string (gst_value_list_get_value (list, i));
    g_autofree char *text = g_strdup_printf (
        "video/x-raw(memory:DMABuf), format=DMA_DRM, drm-format=%s, width=32, height=24", name);
    g_autoptr (GstCaps) one = gst_caps_from_string (text);
    GstVideoInfo info;

    test_message ("%s", name);
    ck_assert (gst_ensemble_video_info_from_caps (&info, one));
    ck_assert (gst_ensemble_format_supported (GST_VIDEO_INFO_FORMAT (&info)));
    ck_assert_int_eq (GST_VIDEO_INFO_WIDTH (&info), 32);
  }
  ck_assert_uint_eq (n, 13);
}
END_TEST
#endif

/* What a buffer's GstVideoMeta says of an RGB frame of 8×4 pixels, in 96 bytes. */
static const struct {
  const char *name;
  gsize offset;
  gint stride;
  gboolean mapped;
  guint width, height;   /* 0: as they are */
  GstVideoFormat format; /* UNKNOWN: the same */
} meta_rows[] = {
    {"right", 0, 24, TRUE},
    {"narrow", 0, 24, FALSE, 7, 4},
    {"low", 0, 24, FALSE, 8, 3},
    {"a-pixel", 0, 24, FALSE, 1, 1},
    {"other-format", 0, 24, FALSE, 8, 4, GST_VIDEO_FORMAT_BGR},
    {"far-apart", 0, 1 << 30, FALSE},
    {"a-little-too-far", 0, 25, FALSE},
    {"overlapping", 0, 20, FALSE},
    {"at-one-place", 0, 0, FALSE},
    {"upside-down", 72, -24, FALSE},
    {"beyond", 1, 24, FALSE},
    {"far-beyond", 1 << 30, 24, FALSE},
};

/* Nothing outside of the buffer is read. */
START_TEST (test_metas)
{
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, 96, NULL);
  gsize offsets[GST_VIDEO_MAX_PLANES] = {meta_rows[_i].offset};
  gint strides[GST_VIDEO_MAX_PLANES] = {meta_rows[_i].stride};
  GstVideoFrame video;
  GstVideoInfo info;
  gboolean mapped;

  gst_video_info_set_format (&info, GST_VIDEO_FORMAT_RGB, 8, 4);
  gst_buffer_add_video_meta_full (
      buffer, GST_VIDEO_FRAME_FLAG_NONE,
      meta_rows[_i].format != GST_VIDEO_FORMAT_UNKNOWN ? meta_rows[_i].format
                                                       : GST_VIDEO_FORMAT_RGB,
      meta_rows[_i].width > 0 ? meta_rows[_i].width : 8,
      meta_rows[_i].height > 0 ? meta_rows[_i].height : 4, 1, offsets, strides);
  mapped = gst_ensemble_map_frame (&video, buffer, &info);
  ck_assert_int_eq (mapped, meta_rows[_i].mapped);
  if (mapped)
    gst_video_frame_unmap (&video);
  gst_buffer_unref (buffer);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("gst/frame-bridge");
  TEST_ADD_LOOP ("formats", test_formats, formats_names);
  test_add ("caps", test_caps);
  TEST_ADD_LOOP ("colorimetry", test_colorimetry, colorimetry_rows);
  TEST_ADD_LOOP ("recycling", test_recycling, recycling_rows);
  TEST_ADD_LOOP ("crop", test_crop, crop_rows);
  test_add ("dma-bufs", test_dma_bufs);
#if GST_CHECK_VERSION(1, 24, 0)
  test_add ("drm-formats", test_drm_formats);
#endif
  TEST_ADD_ROWS ("meta", test_metas, meta_rows);
  return test_run ();
}
