/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "train/class-vectors.h"

#include <math.h>
#include <string.h>

#include "base/fail.h"
#include "base/files.h"
#include "base/float16.h"
#include "base/json-scan.h"

#define MAX_CLASSES 10000
#define MAX_LENGTH 65536
/* Of a header, in bytes. */
#define MAX_HEADER (64 << 20)

void
ens_class_vectors_free (EnsClassVectors *vectors)
{
  g_free (vectors->values);
  g_strfreev (vectors->names);
  g_free (vectors);
}

/* ---- Numbers ---- */

typedef enum { FLOAT16, BFLOAT16, FLOAT32, FLOAT64, N_NUMBERS } Number;

static const struct {
  const char *numpy, *safetensors;
  gsize size;
} numbers[N_NUMBERS] = {
    [FLOAT16] = {"<f2", "F16", 2},
    [BFLOAT16] = {"", "BF16", 2},
    [FLOAT32] = {"<f4", "F32", 4},
    [FLOAT64] = {"<f8", "F64", 8},
};

static float
read_number (const guint8 *bytes, Number number)
{
  guint16 half = (guint16)(bytes[0] | bytes[1] << 8);
  guint64 bits = 0;
  double wide;

  switch (number) {
  case FLOAT16:
    return ens_float16_to_float (half);
  case BFLOAT16:
    return ens_float_from_bits ((guint32)half << 16);
  case FLOAT32:
    return ens_float_from_bits ((guint32)half | (guint32)bytes[2] << 16 | (guint32)bytes[3] << 24);
  default:
    for (guint i = 0; i < 8; i++)
      bits |= (guint64)bytes[i] << 8 * i;
    memcpy (&wide, &bits, sizeof wide);
    return (float)wide;
  }
}

/* ---- A file that is read ---- */

typedef struct {
  const char *path;
  const guint8 *bytes; /* behind the header */
  gsize size;
  GArray *values;   /* float */
  GPtrArray *names; /* char * of rows that have one */
  guint length;     /* of each row; 0: there is none yet */
} Reading;

static gboolean
add_rows (Reading *reading, gsize n, gsize length, const guint8 *bytes, Number number,
          GError **error)
{
  if (length < 1 || length > MAX_LENGTH || n < 1 || reading->names->len + n > MAX_CLASSES
      || n > MAX_CLASSES)
    return ens_fail (error, ENS_ERROR_SHAPE, reading->path,
                     "%" G_GSIZE_FORMAT " vectors of %" G_GSIZE_FORMAT
                     " numbers, expected 1 to %d of 1 to %d",
                     n, length, MAX_CLASSES, MAX_LENGTH);
  if (reading->length != 0 && reading->length != length)
    return ens_fail (error, ENS_ERROR_SHAPE, reading->path,
                     "vectors of %u and of %" G_GSIZE_FORMAT " numbers, expected one length",
                     reading->length, length);
  reading->length = (guint)length;
  for (gsize i = 0; i < n * length; i++) {
    float value = read_number (bytes + i * numbers[number].size, number);

    g_array_append_val (reading->values, value);
  }
  return TRUE;
}

/* ---- NumPy ---- */

#define NUMPY_MAGIC "\x93NUMPY"
#define NUMPY_MAGIC_SIZE 6

/* What the header, a Python dictionary, has behind 'KEY': . */
static const char *
find_value (const char *header, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s'", key);
  const char *at = strstr (header, quoted);

  if (at == NULL)
    return "";
  at += strlen (quoted);
  return at + strspn (at, ": ");
}

static gboolean
read_numpy_header (Reading *reading, const char *header, GError **error)
{
  const char *type = find_value (header, "descr"), *shape = find_value (header, "shape");
  Number number = FLOAT16;
  guint64 n, length;
  char *end;

  while (number < N_NUMBERS
         && (*numbers[number].numpy == '\0' || *type == '\0'
             || strncmp (type + 1, numbers[number].numpy, 3) != 0))
    number++;
  if (number == N_NUMBERS)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, reading->path,
                     "numbers of type %.16s, expected float32, float16 or float64, little-endian",
                     type);
  if (!g_str_has_prefix (find_value (header, "fortran_order"), "False"))
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, reading->path,
                     "the matrix lies column by column; save numpy.ascontiguousarray (matrix)");
  n = g_ascii_strtoull (shape + (*shape == '('), &end, 10);
  length = g_ascii_strtoull (end + strspn (end, ", "), &end, 10);
  if (*shape != '(' || *(end + strspn (end, ", ")) != ')' || n == 0 || length == 0)
    return ens_fail (error, ENS_ERROR_SHAPE, reading->path,
                     "the shape is %.32s, expected a matrix: a row for each class", shape);
  if (n > MAX_CLASSES || length > MAX_LENGTH
      || n * length * numbers[number].size != (guint64)reading->size)
    return ens_fail (error, ENS_ERROR_FORMAT, reading->path,
                     "the shape is %.32s, but there are %" G_GSIZE_FORMAT " bytes of numbers",
                     shape, reading->size);
  return add_rows (reading, (gsize)n, (gsize)length, reading->bytes, number, error);
}

static gboolean
read_numpy (Reading *reading, GError **error)
{
  gsize at = NUMPY_MAGIC_SIZE + 2, width = 0, length = 0;
  g_autofree char *header = NULL;

  if (reading->size >= at)
    width = reading->bytes[NUMPY_MAGIC_SIZE] < 2 ? 2 : 4;
  for (gsize i = 0; i < width && at + width <= reading->size; i++)
    length |= (gsize)reading->bytes[at + i] << 8 * i;
  at += width;
  if (width == 0 || length == 0 || at > reading->size || length > reading->size - at)
    return ens_fail (error, ENS_ERROR_FORMAT, reading->path, "the file is cut off in its header");
  header = g_strndup ((const char *)reading->bytes + at, length);
  reading->bytes += at + length;
  reading->size -= at + length;
  return read_numpy_header (reading, header, error);
}

/* ---- safetensors ---- */

/* One tensor of the header. */
typedef struct {
  Number number;
  guint rank;
  gint64 shape[2], begin, end; /* of its bytes */
} Entry;

static Number
find_number (const char *name)
{
  Number number = FLOAT16;

  while (number < N_NUMBERS && g_strcmp0 (name, numbers[number].safetensors) != 0)
    number++;
  return number;
}

/* The first two elements; returns how many there are. */
static guint
read_pair (EnsJsonScan *scan, gint64 *pair)
{
  guint n = 0;

  if (!ens_json_scan_open_array (scan))
    return G_MAXUINT;
  while (ens_json_scan_element (scan)) {
    gint64 value = -1;

    ens_json_scan_integer (scan, &value);
    if (n < 2)
      pair[n] = value;
    n++;
  }
  return n;
}

static void
read_entry (EnsJsonScan *scan, Entry *entry)
{
  const char *member;

  *entry = (Entry) {.number = N_NUMBERS, .shape = {1, 1}, .begin = -1};
  if (!ens_json_scan_open_object (scan))
    return;
  while ((member = ens_json_scan_member (scan)) != NULL)
    if (strcmp (member, "dtype") == 0) {
      g_autofree char *name = ens_json_scan_string (scan);

      entry->number = find_number (name);
    } else if (strcmp (member, "shape") == 0) {
      entry->rank = read_pair (scan, entry->shape);
    } else if (strcmp (member, "data_offsets") == 0) {
      gint64 offsets[2] = {-1, -1};

      read_pair (scan, offsets);
      entry->begin = offsets[0];
      entry->end = offsets[1];
    } else {
      ens_json_scan_skip (scan);
    }
}

static gboolean
add_entry (Reading *reading, const char *name, const Entry *entry, GError **error)
{
  gboolean is_vector = entry->rank == 1;
  gint64 n = is_vector ? 1 : entry->shape[0], length = entry->shape[is_vector ? 0 : 1];

  if (entry->number == N_NUMBERS)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, reading->path,
                     "tensor “%s”: expected float32, float16, bfloat16 or float64", name);
  if (entry->rank < 1 || entry->rank > 2 || n < 1 || length < 1 || n > MAX_CLASSES
      || length > MAX_LENGTH)
    return ens_fail (error, ENS_ERROR_SHAPE, reading->path,
                     "tensor “%s”: expected a vector, or a matrix with a row for each class", name);
  if (entry->begin < 0 || entry->end > (gint64)reading->size || entry->end < entry->begin
      || entry->end - entry->begin != n * length * (gint64)numbers[entry->number].size)
    return ens_fail (error, ENS_ERROR_FORMAT, reading->path,
                     "tensor “%s”: its place in the file does not fit its shape", name);
  if (reading->length != 0 && (!is_vector || reading->names->len == 0))
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, reading->path,
                     "tensor “%s”: expected one matrix, or vectors alone", name);
  if (!add_rows (reading, (gsize)n, (gsize)length, reading->bytes + entry->begin, entry->number,
                 error))
    return FALSE;
  if (is_vector)
    g_ptr_array_add (reading->names, g_strdup (name));
  return TRUE;
}

static gboolean
read_entries (Reading *reading, EnsJsonScan *scan, GError **error)
{
  const char *member;

  if (!ens_json_scan_open_object (scan))
    return TRUE;
  while ((member = ens_json_scan_member (scan)) != NULL) {
    g_autofree char *name = g_strdup (member);
    Entry entry;

    if (strcmp (name, "__metadata__") == 0) {
      ens_json_scan_skip (scan);
      continue;
    }
    read_entry (scan, &entry);
    if (ens_json_scan_failed (scan))
      return TRUE;
    if (!add_entry (reading, name, &entry, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_safetensors (Reading *reading, GError **error)
{
  const char *header = (const char *)reading->bytes + 8;
  guint64 length = 0;
  EnsJsonScan scan;
  gboolean good;

  for (guint i = 0; i < 8 && reading->size >= 8; i++)
    length |= (guint64)reading->bytes[i] << 8 * i;
  if (length == 0 || length > MAX_HEADER || length > reading->size - 8)
    return ens_fail (error, ENS_ERROR_FORMAT, reading->path,
                     "expected a file of NumPy (.npy) or of safetensors");
  reading->bytes += 8 + length;
  reading->size -= 8 + length;
  ens_json_scan_init (&scan, reading->path, header, (gsize)length);
  good = read_entries (reading, &scan, error);
  return ens_json_scan_finish (&scan, good ? error : NULL) && good;
}

/* ---- Names ---- */

static gboolean
read_names (Reading *reading, const char *path, guint n, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autofree char *text = ens_file_read_text (path, NULL, &reason);
  g_auto (GStrv) lines = NULL;

  if (text == NULL)
    return ens_fail (error, ENS_ERROR_FILE, path, "%s", reason->message);
  if (reading->names->len > 0)
    return ens_fail (error, ENS_ERROR_UNSUPPORTED, reading->path,
                     "its vectors have names already; leave out %s", path);
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (*g_strstrip (*line) != '\0')
      g_ptr_array_add (reading->names, g_strdup (*line));
  if (reading->names->len != n)
    return ens_fail (error, ENS_ERROR_FORMAT, path,
                     "has %u names, expected %u: one for each vector", reading->names->len, n);
  return TRUE;
}

static gboolean
check_names (const Reading *reading, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < reading->names->len; i++)
    if (!g_hash_table_add (seen, reading->names->pdata[i]))
      return ens_fail (error, ENS_ERROR_FORMAT, reading->path, "the class “%s” is given twice",
                       (const char *)reading->names->pdata[i]);
  return TRUE;
}

/* ---- All of it ---- */

static gboolean
normalise (const Reading *reading, guint row, GError **error)
{
  float *values = &g_array_index (reading->values, float, (gsize)row * reading->length);
  double sum = 0;

  for (guint i = 0; i < reading->length; i++)
    sum += (double)values[i] * (double)values[i];
  if (!(sum > 0) || !isfinite (sum))
    return ens_fail (error, ENS_ERROR_DATA, reading->path,
                     "the vector of class “%s” has a length of %g",
                     (const char *)reading->names->pdata[row], sqrt (sum));
  for (guint i = 0; i < reading->length; i++)
    values[i] = (float)(values[i] / sqrt (sum));
  return TRUE;
}

/* (transfer full) */
static EnsClassVectors *
finish (Reading *reading, const char *names, GError **error)
{
  guint n = reading->length > 0 ? reading->values->len / reading->length : 0;
  EnsClassVectors *vectors;

  if (n == 0) {
    ens_fail (error, ENS_ERROR_FORMAT, reading->path, "has no vectors");
    return NULL;
  }
  if (names == NULL && reading->names->len != n) {
    ens_fail (error, ENS_ERROR_FORMAT, reading->path,
              "the rows of its matrix have no names; give a text file with a line for each");
    return NULL;
  }
  if ((names != NULL && !read_names (reading, names, n, error)) || !check_names (reading, error))
    return NULL;
  for (guint i = 0; i < n; i++)
    if (!normalise (reading, i, error))
      return NULL;
  vectors = g_new0 (EnsClassVectors, 1);
  vectors->n = n;
  vectors->length = reading->length;
  vectors->values = (float *)g_array_free (g_steal_pointer (&reading->values), FALSE);
  g_ptr_array_add (reading->names, NULL);
  vectors->names = (char **)g_ptr_array_free (g_steal_pointer (&reading->names), FALSE);
  return vectors;
}

EnsClassVectors *
ens_class_vectors_load (const char *path, const char *names, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GMappedFile) file = ens_file_map (path, &reason);
  Reading reading = {.path = path};
  EnsClassVectors *vectors = NULL;
  gboolean is_numpy;

  if (file == NULL) {
    ens_fail (error, ENS_ERROR_FILE, path, "%s", reason->message);
    return NULL;
  }
  reading.bytes = (const guint8 *)g_mapped_file_get_contents (file);
  reading.size = g_mapped_file_get_length (file);
  reading.values = g_array_new (FALSE, FALSE, sizeof (float));
  reading.names = g_ptr_array_new_with_free_func (g_free);
  is_numpy = reading.size >= NUMPY_MAGIC_SIZE
             && memcmp (reading.bytes, NUMPY_MAGIC, NUMPY_MAGIC_SIZE) == 0;
  if (is_numpy ? read_numpy (&reading, error) : read_safetensors (&reading, error))
    vectors = finish (&reading, names, error);
  g_clear_pointer (&reading.values, g_array_unref);
  g_clear_pointer (&reading.names, g_ptr_array_unref);
  return vectors;
}
