#include "graph/onnx-private.h"

#include <string.h>

/* As much of a file as tells whether it is text. */
#define TEXT_SAMPLE 256

static const struct {
  gsize offset;
  const char *magic;
  const char *what;
} kinds[] = {
    {0, "version https://git-lfs", "a Git LFS pointer; fetch the model itself with “git lfs pull”"},
    {0, "\x89PNG", "a PNG picture"},
    {0, "\xff\xd8\xff", "a JPEG picture"},
    {0, "PK\x03\x04", "a ZIP archive, perhaps a PyTorch checkpoint; export it as ONNX"},
    {0, "\x1f\x8b", "compressed by gzip"},
    {0, "\x89HDF", "an HDF5 file, perhaps a Keras model; convert it to ONNX"},
    {0, "\x80\x02", "a Python pickle, perhaps a PyTorch checkpoint; export it as ONNX"},
    {4, "TFL3", "a TensorFlow Lite model; convert it to ONNX"},
    {4, "ORTM", "in ONNX Runtime's own format; use the ONNX file it was made from"},
};

static gboolean
starts_with (const guint8 *data, gsize size, gsize offset, const char *magic)
{
  gsize length = strlen (magic);

  return size >= offset + length && memcmp (data + offset, magic, length) == 0;
}

/* A model's first bytes are control characters. */
static gboolean
is_text (const guint8 *data, gsize size)
{
  gsize n = MIN (size, TEXT_SAMPLE);

  for (gsize i = 0; i < n; i++)
    if (data[i] < 0x20 && !g_ascii_isspace (data[i]))
      return FALSE;
  return g_ascii_isprint (data[0]) || g_ascii_isspace (data[0]);
}

static const char *
identify (const guint8 *data, gsize size)
{
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (starts_with (data, size, kinds[i].offset, kinds[i].magic))
      return kinds[i].what;
  if (is_text (data, size)) {
    gsize start = 0;

    while (start < size && g_ascii_isspace (data[start]))
      start++;
    return start < size && data[start] == '<' ? "a web page or XML" : "text";
  }
  return NULL;
}

gboolean
ens_onnx_sniff (const guint8 *data, gsize size, GError **error)
{
  const char *what;

  if (size == 0) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT, "empty, expected an ONNX model");
    return FALSE;
  }
  what = identify (data, size);
  if (what == NULL)
    return TRUE;
  g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT, "not an ONNX model but %s", what);
  return FALSE;
}
