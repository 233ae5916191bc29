/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From bytes to protobuf's structures.
 *
 * Source: https://protobuf.dev/programming-guides/encoding/ */
#include <string.h>

#include "onnx/onnx-private.h"

/* Graphs nested in attributes take three levels each; nothing we read needs more than seven. */
#define MAX_DEPTH 64
/* Each part of a file takes some 200 bytes once parsed, even if it takes two bytes in the file. The
 * largest classifiers have some ten thousand. */
#define MAX_PARTS 1000000

typedef struct {
  const guint8 *start; /* of the file */
  guint n_parts;
  GError **error;
} WireCheck;

/* A run of bytes still to be read. */
typedef struct {
  const guint8 *data, *end;
} Bytes;

typedef struct {
  guint32 number;
  guint wire_type;
  Bytes contents; /* of length-prefixed fields */
} Field;

static gboolean fail (WireCheck *check, const guint8 *position, const char *format, ...)
    G_GNUC_PRINTF (3, 4);

static gboolean
fail (WireCheck *check, const guint8 *position, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (check->error, ENS_ERROR, ENS_ERROR_FORMAT,
               "damaged, or not an ONNX model: %s at byte %" G_GSIZE_FORMAT, message,
               (gsize)(position - check->start));
  return FALSE;
}

static gboolean
read_varint (Bytes *bytes, guint64 *value)
{
  *value = 0;
  for (guint shift = 0; shift < 70 && bytes->data < bytes->end; shift += 7) {
    guint8 byte = *bytes->data++;

    if (shift < 64)
      *value |= (guint64)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return TRUE;
  }
  return FALSE;
}

/* Takes one field off the message. */
static gboolean
read_field (WireCheck *check, const ProtobufCMessageDescriptor *message, Bytes *bytes, Field *field)
{
  const guint8 *start = bytes->data;
  guint64 tag, value;
  gsize left;

  if (!read_varint (bytes, &tag) || tag >> 3 == 0 || tag > G_MAXUINT32)
    return fail (check, start, "%s has no field where one should start", message->short_name);
  field->number = (guint32)(tag >> 3);
  field->wire_type = tag & 7;
  left = (gsize)(bytes->end - bytes->data);
  switch (field->wire_type) {
  case PROTOBUF_C_WIRE_TYPE_VARINT:
    return read_varint (bytes, &value)
           || fail (check, start, "%s ends within a number", message->short_name);
  case PROTOBUF_C_WIRE_TYPE_32BIT:
  case PROTOBUF_C_WIRE_TYPE_64BIT:
    value = field->wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;
    break;
  case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
    if (!read_varint (bytes, &value))
      return fail (check, start, "%s ends within a length", message->short_name);
    left = (gsize)(bytes->end - bytes->data);
    break;
  default:
    return fail (check, start, "%s has a field of unknown kind %u", message->short_name,
                 field->wire_type);
  }
  if (value > left)
    return fail (check, start,
                 "%s should go on for %" G_GUINT64_FORMAT " bytes and has %" G_GSIZE_FORMAT
                 " (is the file complete?)",
                 message->short_name, value, left);
  field->contents = (Bytes) {bytes->data, bytes->data + value};
  bytes->data += value;
  return TRUE;
}

static gboolean
check_text (WireCheck *check, const ProtobufCMessageDescriptor *message, const char *name,
            const Bytes *text)
{
  gsize size = (gsize)(text->end - text->data);

  return g_utf8_validate_len ((const char *)text->data, size, NULL)
         || fail (check, text->data, "“%s” of %s is not UTF-8 text", name, message->short_name);
}

static gboolean
check_message (WireCheck *check, const ProtobufCMessageDescriptor *message, Bytes bytes,
               guint depth)
{
  guint64 seen = 0; /* by index, fields that hold one message */

  if (depth > MAX_DEPTH)
    return fail (check, bytes.data, "%s lies more than %d levels deep", message->short_name,
                 MAX_DEPTH);
  while (bytes.data < bytes.end) {
    const ProtobufCFieldDescriptor *known;
    const guint8 *start = bytes.data;
    Field field = {0};

    if (!read_field (check, message, &bytes, &field))
      return FALSE;
    known = protobuf_c_message_descriptor_get_field (message, field.number);
    if (known != NULL && known->type != PROTOBUF_C_TYPE_STRING
        && known->type != PROTOBUF_C_TYPE_BYTES && known->type != PROTOBUF_C_TYPE_MESSAGE)
      continue;
    if (++check->n_parts > MAX_PARTS)
      return fail (check, start, "more than %d parts", MAX_PARTS);
    if (known == NULL || known->type == PROTOBUF_C_TYPE_BYTES)
      continue;
    if (field.wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
      return fail (check, start, "“%s” of %s is a number", known->name, message->short_name);
    if (known->type == PROTOBUF_C_TYPE_STRING) {
      if (!check_text (check, message, known->name, &field.contents))
        return FALSE;
      continue;
    }
    if (known->label != PROTOBUF_C_LABEL_REPEATED) {
      guint64 bit = 1ull << (known - message->fields);

      if (seen & bit)
        return fail (check, start, "%s has a second “%s”", message->short_name, known->name);
      seen |= bit;
    }
    if (!check_message (check, known->descriptor, field.contents, depth + 1))
      return FALSE;
  }
  return TRUE;
}

Onnx__ModelProto *
ens_onnx_parse (GBytes *bytes, GError **error)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  WireCheck check = {.start = data, .error = error};
  Onnx__ModelProto *model;

  if (!ens_onnx_sniff (data, size, error))
    return NULL;
  if (size > G_MAXINT32) {
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "over 2 GiB, which ONNX allows for external weights only");
    return NULL;
  }
  if (!check_message (&check, &onnx__model_proto__descriptor, (Bytes) {data, data + size}, 0))
    return NULL;
  model = onnx__model_proto__unpack (NULL, size, data);
  if (model == NULL)
    g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                         "damaged, or not an ONNX model: a field has another type than ONNX says");
  return model;
}

Onnx__AttributeProto *
ens_onnx_parse_attribute (GBytes *bytes)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  WireCheck check = {.start = data};

  return check_message (&check, &onnx__attribute_proto__descriptor, (Bytes) {data, data + size}, 0)
             ? onnx__attribute_proto__unpack (NULL, size, data)
             : NULL;
}

void
ens_onnx_model_free (Onnx__ModelProto *model)
{
  onnx__model_proto__free_unpacked (model, NULL);
}
