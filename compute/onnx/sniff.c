/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "base/files.h"
#include "onnx/onnx-private.h"

/* As much of a file as tells whether it is text. */
#define TEXT_SAMPLE 256

#define EXPORT_PYTORCH "export it with torch.onnx.export ()"
#define CONVERT_TENSORFLOW "convert it with tf2onnx"

/* The first that fits counts. */
static const struct {
  gsize offset;
  const char *magic;
  const char *what;
} kinds[] = {
    {0, "\x89PNG", "a PNG picture"},
    {0, "\xff\xd8\xff", "a JPEG picture"},
    {0, "\x1f\x8b", "compressed by gzip; unpack it"},
    {0, "\x89HDF", "an HDF5 file, perhaps a Keras model; " CONVERT_TENSORFLOW},
    {0, "\x80\x02", "a Python pickle, perhaps of PyTorch; " EXPORT_PYTORCH},
    {0, "\x80\x03", "a Python pickle, perhaps of PyTorch; " EXPORT_PYTORCH},
    {0, "\x80\x04", "a Python pickle, perhaps of PyTorch; " EXPORT_PYTORCH},
    {0, "\x80\x05", "a Python pickle, perhaps of PyTorch; " EXPORT_PYTORCH},
    {4, "TFL3", "a TensorFlow Lite model; " CONVERT_TENSORFLOW},
    {4, "ORTM", "in ONNX Runtime's own format; use the ONNX file it was made from"},
    {0, "ftrt", "a TensorRT engine; use the ONNX file it was made from"},
    {8, "{\"", "weights alone (safetensors); " EXPORT_PYTORCH " with the network they belong to"},
    {0, "GGUF", "a GGUF file, which holds language models"},
    {0, "7767517\n", "a network of ncnn; use the ONNX file it was made from"},
    {0, "<?xml", "XML, perhaps an OpenVINO model; use the ONNX file it was made from"},
    {0, "<net ", "an OpenVINO model; use the ONNX file it was made from"},
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

/* Archives of PyTorch have a pickle first, those of Keras JSON. */
static const char *
identify_archive (const guint8 *data, gsize size)
{
  static const gsize name_offset = 30, name_size = 26;
  g_autofree char *name = NULL;

  if (!starts_with (data, size, 0, "PK\x03\x04"))
    return NULL;
  if (size > name_offset)
    name = g_strndup ((const char *)data + name_offset,
                      MIN (data[name_size] | (gsize)data[name_size + 1] << 8, size - name_offset));
  if (name != NULL && g_str_has_suffix (name, ".pkl"))
    return "a PyTorch checkpoint; " EXPORT_PYTORCH;
  if (name != NULL && g_str_has_suffix (name, ".json"))
    return "a Keras model; " CONVERT_TENSORFLOW;
  return "a ZIP archive; unpack it, or if PyTorch has written it, " EXPORT_PYTORCH;
}

/* Other models in protobuf. ONNX's first field is a number, its second a text. */
static const char *
identify_protobuf (const guint8 *data, gsize size)
{
  gsize i = 3;

  /* A graph's first field is a node, which begins with its name; Caffe's is the network's name. */
  if (size > 2 && data[0] == 0x0a && data[1] < 0x80)
    return data[2] == 0x0a  ? "a frozen TensorFlow graph; " CONVERT_TENSORFLOW
           : data[2] >= ' ' ? "a Caffe model; convert it to ONNX"
                            : NULL;
  /* A saved model's second field is no text, it begins with another field. */
  if (!starts_with (data, size, 0, "\x08\x01\x12"))
    return NULL;
  while (i < size && data[i] >= 0x80)
    i++;
  return i + 1 < size && data[i + 1] == 0x0a ? "a TensorFlow SavedModel; " CONVERT_TENSORFLOW
                                             : NULL;
}

static const char *
identify_text (const guint8 *data, gsize size)
{
  g_autofree char *start = g_strndup ((const char *)data, MIN (size, TEXT_SAMPLE));

  if (!is_text (data, size))
    return NULL;
  return strstr (start, "layer {") != NULL || strstr (start, "input_dim:") != NULL
             ? "a description of a Caffe network; convert it and its weights to ONNX"
             : "text";
}

static const char *
identify (const guint8 *data, gsize size)
{
  const char *what = ens_find_stand_in (data, size);

  for (guint i = 0; what == NULL && i < G_N_ELEMENTS (kinds); i++)
    if (starts_with (data, size, kinds[i].offset, kinds[i].magic))
      what = kinds[i].what;
  if (what == NULL)
    what = identify_archive (data, size);
  if (what == NULL)
    what = identify_protobuf (data, size);
  return what != NULL ? what : identify_text (data, size);
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
