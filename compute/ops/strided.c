/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ops/strided.h"

#include "ops/operands.h"

#include <string.h>

EnsStrided
ens_strided_broadcast (const EnsShape *shape, const EnsView *const *views, guint n)
{
  EnsStrided strided = {.n = n, .rank = shape->rank};

  memcpy (strided.dims, shape->dims, shape->rank * sizeof *shape->dims);
  for (guint i = 0; i < n; i++)
    ens_view_broadcast_strides (views[i], shape, strided.strides[i]);
  return strided;
}

static void
move_axis (EnsStrided *strided, guint to, guint from)
{
  strided->dims[to] = strided->dims[from];
  for (guint i = 0; i < strided->n; i++)
    strided->strides[i][to] = strided->strides[i][from];
}

/* One step along `outer` is the same as dims[inner] steps along `inner`, for all arrays. */
static gboolean
can_join (const EnsStrided *strided, guint outer, guint inner)
{
  for (guint i = 0; i < strided->n; i++)
    if (strided->strides[i][outer] != strided->strides[i][inner] * strided->dims[inner])
      return FALSE;
  return TRUE;
}

void
ens_strided_merge (EnsStrided *strided)
{
  guint rank = 0;

  for (guint axis = 0; axis < strided->rank; axis++) {
    if (strided->dims[axis] == 1)
      continue;
    if (rank > 0 && can_join (strided, rank - 1, axis)) {
      gint64 joined = strided->dims[rank - 1] * strided->dims[axis];

      move_axis (strided, rank - 1, axis);
      strided->dims[rank - 1] = joined;
    } else {
      move_axis (strided, rank++, axis);
    }
  }
  if (rank == 0) {
    strided->dims[rank++] = 1;
    for (guint i = 0; i < strided->n; i++)
      strided->strides[i][0] = 1;
  }
  strided->rank = rank;
}

void
ens_strided_keep_contiguous (EnsStrided *strided, guint n)
{
  gboolean contiguous = TRUE;

  for (guint i = 0; i < n; i++)
    contiguous = contiguous && strided->strides[i][strided->rank - 1] == 1;
  if (contiguous)
    return;
  strided->dims[strided->rank] = 1;
  for (guint i = 0; i < strided->n; i++)
    strided->strides[i][strided->rank] = 1;
  strided->rank++;
}

gsize
ens_strided_elements (const EnsStrided *strided)
{
  gsize n = 1;

  for (guint axis = 0; axis < strided->rank; axis++)
    n *= (gsize)strided->dims[axis];
  return n;
}

/* Where element `at` lies: its index along each axis and its offset in each array. */
static void
seek (const EnsStrided *strided, gsize at, gint64 *index, gint64 *offsets)
{
  memset (offsets, 0, strided->n * sizeof *offsets);
  for (guint axis = strided->rank; axis-- > 0;) {
    index[axis] = (gint64)(at % (gsize)strided->dims[axis]);
    at /= (gsize)strided->dims[axis];
    for (guint i = 0; i < strided->n; i++)
      offsets[i] += index[axis] * strided->strides[i][axis];
  }
}

/* From one run to the next: a step along the axes before the last. */
static void
next_run (const EnsStrided *strided, gint64 *index, gint64 *offsets)
{
  for (guint axis = strided->rank - 1; axis-- > 0;) {
    gboolean carry = ++index[axis] == strided->dims[axis];
    gint64 steps = carry ? 1 - strided->dims[axis] : 1;

    for (guint i = 0; i < strided->n; i++)
      offsets[i] += steps * strided->strides[i][axis];
    if (!carry)
      return;
    index[axis] = 0;
  }
}

void
ens_strided_run (const EnsStrided *strided, gsize begin, gsize end, EnsRunFunc func,
                 gconstpointer data)
{
  guint last = strided->rank - 1;
  gint64 index[ENS_MAX_STRIDED_RANK], offsets[ENS_MAX_STRIDED];

  if (begin >= end)
    return;
  seek (strided, begin, index, offsets);
  while (begin < end) {
    gsize n = MIN (end - begin, (gsize)(strided->dims[last] - index[last]));

    func (data, offsets, n);
    begin += n;
    for (guint i = 0; i < strided->n; i++)
      offsets[i] -= index[last] * strided->strides[i][last];
    index[last] = 0;
    next_run (strided, index, offsets);
  }
}

typedef struct {
  const EnsStrided *strided;
  gsize element_size;
  char *output;
  const char *input;
  /* A block moves elements along two axes: the one along which the input is contiguous, and the
   * last, along which the output is. */
  gint64 width, height;               /* of the block's whole plane: input axis, output axis */
  gint64 input_stride, output_stride; /* of the respective other axis */
} Copy;

static void
copy_bytes (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Copy *copy = data;
  gint64 size = (gint64)copy->element_size;

  memcpy (copy->output + offsets[0] * size, copy->input + offsets[1] * size,
          n * copy->element_size);
}

#define COPY_ELEMENTS(type)                                     \
  do {                                                          \
    type *output = (type *)copy->output + offsets[0];           \
    const type *input = (const type *)copy->input + offsets[1]; \
                                                                \
    for (gsize i = 0; i < n; i++)                               \
      output[(gint64)i * to] = input[(gint64)i * from];         \
  } while (0)

static void
copy_elements (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Copy *copy = data;
  guint last = copy->strided->rank - 1;
  gint64 to = copy->strided->strides[0][last], from = copy->strided->strides[1][last];

  switch (copy->element_size) {
  case 1:
    COPY_ELEMENTS (guint8);
    break;
  case 2:
    COPY_ELEMENTS (guint16);
    break;
  case 4:
    COPY_ELEMENTS (guint32);
    break;
  default:
    COPY_ELEMENTS (guint64);
  }
}

/* Elements of 4 bytes: 16 of them are a cache line, so that lines of both sides are used whole. */
#define BLOCK 16

static void
transpose_block (const Copy *copy, const guint32 *input, guint32 *output, gint64 width,
                 gint64 height)
{
  for (gint64 x = 0; x < width; x++)
    for (gint64 y = 0; y < height; y++)
      output[x * copy->output_stride + y] = input[y * copy->input_stride + x];
}

static void
transpose_plane (gconstpointer data, const gint64 *offsets, gsize n)
{
  const Copy *copy = data;

  for (gsize i = 0; i < n; i++) {
    guint last = copy->strided->rank - 1;
    guint32 *output =
        (guint32 *)copy->output + offsets[0] + (gint64)i * copy->strided->strides[0][last];
    const guint32 *input =
        (const guint32 *)copy->input + offsets[1] + (gint64)i * copy->strided->strides[1][last];

    for (gint64 y = 0; y < copy->height; y += BLOCK)
      for (gint64 x = 0; x < copy->width; x += BLOCK)
        transpose_block (copy, input + y * copy->input_stride + x,
                         output + x * copy->output_stride + y, MIN (BLOCK, copy->width - x),
                         MIN (BLOCK, copy->height - y));
  }
}

static void
transpose_range (gconstpointer data, gsize begin, gsize end)
{
  const Copy *copy = data;

  ens_strided_run (copy->strided, begin, end, transpose_plane, copy);
}

static void
copy_range (gconstpointer data, gsize begin, gsize end)
{
  const Copy *copy = data;
  guint last = copy->strided->rank - 1;
  gboolean contiguous =
      copy->strided->strides[0][last] == 1 && copy->strided->strides[1][last] == 1;

  ens_strided_run (copy->strided, begin, end, contiguous ? copy_bytes : copy_elements, copy);
}

static void
remove_axis (EnsStrided *strided, guint axis)
{
  for (guint i = axis + 1; i < strided->rank; i++)
    move_axis (strided, i - 1, i);
  strided->rank--;
}

/* If the two sides are contiguous along different axes, takes both axes out of the loop: what is
 * left walks over planes. */
static gboolean
split_planes (EnsStrided *strided, Copy *copy)
{
  guint last = strided->rank - 1, other = 0;

  while (other < last && strided->strides[1][other] != 1)
    other++;
  if (copy->element_size != 4 || other == last || strided->strides[0][last] != 1)
    return FALSE;
  copy->height = strided->dims[last];
  copy->width = strided->dims[other];
  copy->input_stride = strided->strides[1][last];
  copy->output_stride = strided->strides[0][other];
  remove_axis (strided, last);
  remove_axis (strided, other);
  ens_strided_merge (strided);
  return TRUE;
}

void
ens_strided_copy (EnsStrided *strided, gsize element_size, gpointer output, gconstpointer input,
                  EnsThreadPool *pool)
{
  Copy copy = {.strided = strided, .element_size = element_size, .output = output, .input = input};

  ens_strided_merge (strided);
  if (ens_strided_elements (strided) == 0)
    return;
  if (split_planes (strided, &copy))
    ens_parallel (pool, ens_strided_elements (strided), (gsize)(copy.width * copy.height),
                  transpose_range, &copy);
  else
    ens_parallel (pool, ens_strided_elements (strided), 1, copy_range, &copy);
}
