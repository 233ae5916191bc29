/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/files.h"

#define SEGMENTS 16 /* in a full spool: what has to go, goes by segments */
#define SUFFIX ".spool"

typedef struct {
  guint64 number, size, lines;
} Segment;

struct _PublishSpool {
  char *folder;
  guint64 limit;
  GQueue segments; /* Segment, the oldest first; the last one is written to */
  guint64 size;    /* of all segments */
  guint64 length;  /* messages that are not crossed off */
  guint64 offset;  /* in the first segment: where these begin */
  guint64 crossed; /* lines of the first segment before that */
  GArray *peeked;  /* guint64: bytes of each message that was peeked */
  int lock, tail, cursor;
};

static char *
segment_path (const PublishSpool *self, guint64 number)
{
  return g_strdup_printf ("%s/%020" G_GUINT64_FORMAT SUFFIX, self->folder, number);
}

static gboolean
fail (GError **error, const char *path, const char *what)
{
  int code = errno;

  g_set_error (error, G_FILE_ERROR, (gint)g_file_error_from_errno (code), "%s: %s: %s%s", path,
               what, g_strerror (code), ens_write_advice (code));
  return FALSE;
}

/* ---- Cursor ---- */

/* One write of a few bytes at a fixed place: it happens or it does not. */
static void
write_cursor (PublishSpool *self)
{
  const Segment *first = g_queue_peek_head (&self->segments);
  char text[64];
  int n = g_snprintf (text, sizeof text, "%020" G_GUINT64_FORMAT " %020" G_GUINT64_FORMAT "\n",
                      first != NULL ? first->number : 0, self->offset);

  /* Where this fails messages are sent twice; that is better than not at all. */
  if (pwrite (self->cursor, text, (gsize)n, 0) != n)
    g_debug ("%s: the cursor can't be written: %s", self->folder, g_strerror (errno));
}

static gboolean
read_cursor (PublishSpool *self, guint64 *number, guint64 *offset)
{
  char text[64] = {0};
  ssize_t n = pread (self->cursor, text, sizeof text - 1, 0);
  char *end = NULL;

  if (n < 42 || text[41] != '\n')
    return FALSE;
  *number = g_ascii_strtoull (text, &end, 10);
  *offset = g_ascii_strtoull (end, NULL, 10);
  return TRUE;
}

/* ---- What an earlier process left ---- */

static guint64
count_lines (const char *text, gsize size)
{
  guint64 n = 0;

  for (gsize i = 0; i < size; i++)
    n += text[i] == '\n';
  return n;
}

/* Cuts off what follows the last newline. */
static gboolean
read_segment (PublishSpool *self, guint64 number, GError **error)
{
  g_autofree char *path = segment_path (self, number), *text = NULL;
  Segment *segment = g_new0 (Segment, 1);
  gsize size;

  if (!g_file_get_contents (path, &text, &size, error)) {
    g_free (segment);
    return FALSE;
  }
  while (size > 0 && text[size - 1] != '\n')
    size--;
  if (truncate (path, (off_t)size) != 0)
    g_debug ("%s: %s", path, g_strerror (errno));
  *segment = (Segment) {number, size, count_lines (text, size)};
  g_queue_push_tail (&self->segments, segment);
  self->size += size;
  self->length += segment->lines;
  return TRUE;
}

static gint
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 first = *(const guint64 *)a, second = *(const guint64 *)b;

  return first < second ? -1 : first > second;
}

static gboolean
read_folder (PublishSpool *self, GError **error)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, error);
  g_autoptr (GArray) numbers = g_array_new (FALSE, FALSE, sizeof (guint64));
  const char *name;

  if (folder == NULL)
    return FALSE;
  while ((name = g_dir_read_name (folder)) != NULL) {
    char *end;
    guint64 number = g_ascii_strtoull (name, &end, 10);

    if (end != name && g_str_equal (end, SUFFIX))
      g_array_append_val (numbers, number);
  }
  g_array_sort (numbers, compare_numbers);
  for (guint i = 0; i < numbers->len; i++)
    if (!read_segment (self, g_array_index (numbers, guint64, i), error))
      return FALSE;
  return TRUE;
}

/* ---- Segments ---- */

static void
remove_first (PublishSpool *self)
{
  Segment *segment = g_queue_pop_head (&self->segments);
  g_autofree char *path = segment_path (self, segment->number);

  self->length -= segment->lines - self->crossed;
  self->size -= segment->size;
  self->offset = self->crossed = 0;
  g_array_set_size (self->peeked, 0);
  if (g_queue_is_empty (&self->segments) && self->tail >= 0) {
    close (self->tail);
    self->tail = -1;
  }
  g_unlink (path);
  g_free (segment);
}

/* Segments that were sent go, and of the next one what the cursor says. */
static void
follow_cursor (PublishSpool *self)
{
  guint64 number, offset;
  Segment *first;
  g_autofree char *path = NULL, *text = NULL;
  gsize size;

  if (!read_cursor (self, &number, &offset))
    return;
  while ((first = g_queue_peek_head (&self->segments)) != NULL && first->number < number)
    remove_first (self);
  if (first == NULL || first->number != number || offset > first->size)
    return;
  path = segment_path (self, number);
  if (!g_file_get_contents (path, &text, &size, NULL) || size < offset
      || (offset > 0 && text[offset - 1] != '\n'))
    return;
  self->offset = offset;
  self->crossed = count_lines (text, offset);
  self->length -= self->crossed;
}

/* Where none is left the cursor must not outlive them: a clock that was set back numbers new
 * segments below it. */
static void
apply_cursor (PublishSpool *self)
{
  follow_cursor (self);
  write_cursor (self);
}

/* Opens the last segment, or after it a new one. */
static gboolean
open_tail (PublishSpool *self, gboolean new, GError **error)
{
  Segment *last = g_queue_peek_tail (&self->segments);
  guint64 number = last == NULL ? (guint64)g_get_real_time () : last->number + (new ? 1 : 0);
  g_autofree char *path = segment_path (self, number);
  int tail = g_open (path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  if (tail < 0)
    return fail (error, path, "can't be written");
  if (self->tail >= 0)
    close (self->tail);
  self->tail = tail;
  if (last == NULL || new) {
    last = g_new0 (Segment, 1);
    last->number = number;
    g_queue_push_tail (&self->segments, last);
  }
  return TRUE;
}

static gboolean
open_files (PublishSpool *self, GError **error)
{
  g_autofree char *lock = g_build_filename (self->folder, "lock", NULL);
  g_autofree char *cursor = g_build_filename (self->folder, "cursor", NULL);

  if (g_mkdir_with_parents (self->folder, 0700) != 0)
    return fail (error, self->folder, "can't be made");
  self->lock = g_open (lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (self->lock < 0)
    return fail (error, lock, "can't be written");
  if (flock (self->lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return fail (error, lock, "can't be locked");
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                 "%s: another element or process spools here; give each a folder of its own",
                 self->folder);
    return FALSE;
  }
  self->cursor = g_open (cursor, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  return self->cursor >= 0 || fail (error, cursor, "can't be written");
}

PublishSpool *
publish_spool_open (const char *folder, guint64 limit, GError **error)
{
  PublishSpool *self = g_new0 (PublishSpool, 1);

  self->folder = g_strdup (folder);
  self->limit = limit;
  self->lock = self->tail = self->cursor = -1;
  self->peeked = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_queue_init (&self->segments);
  if (open_files (self, error) && read_folder (self, error)) {
    apply_cursor (self);
    return self;
  }
  publish_spool_close (self);
  return NULL;
}

void
publish_spool_close (PublishSpool *self)
{
  int files[] = {self->tail, self->cursor, self->lock};

  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    if (files[i] >= 0)
      close (files[i]);
  g_queue_clear_full (&self->segments, g_free);
  g_array_unref (self->peeked);
  g_free (self->folder);
  g_free (self);
}

guint64
publish_spool_get_length (const PublishSpool *self)
{
  return self->length;
}

/* ---- Writing ---- */

static char *
format_record (const PublishRecord *record, gsize *size)
{
  /* Sources are escaped, so that they have neither tabs nor newlines. */
  g_autofree char *source = g_strescape (record->source, NULL);
  char *line = g_strdup_printf ("%d\t%s\t%s", record->kind, source, record->line);

  *size = strlen (line);
  return line;
}

/* All of it or nothing. */
static gboolean
append (PublishSpool *self, Segment *segment, const char *line, gsize size, GError **error)
{
  ssize_t written = write (self->tail, line, size);
  int code = written < 0 ? errno : ENOSPC;

  if (written == (ssize_t)size)
    return TRUE;
  if (ftruncate (self->tail, (off_t)segment->size) != 0)
    g_debug ("%s: %s", self->folder, g_strerror (errno));
  errno = code;
  return fail (error, self->folder, "messages can't be kept");
}

gboolean
publish_spool_push (PublishSpool *self, const PublishRecord *record, guint64 *lost, GError **error)
{
  gsize size;
  g_autofree char *line = format_record (record, &size);
  Segment *last = g_queue_peek_tail (&self->segments);
  gboolean full = last != NULL && last->size > 0 && last->size + size > self->limit / SEGMENTS;

  if ((self->tail < 0 || full) && !open_tail (self, full, error))
    return FALSE;
  last = g_queue_peek_tail (&self->segments);
  if (!append (self, last, line, size, error))
    return FALSE;
  last->size += size;
  last->lines++;
  self->size += size;
  self->length++;
  while (self->size > self->limit && g_queue_get_length (&self->segments) > 1) {
    const Segment *first = g_queue_peek_head (&self->segments);

    *lost += first->lines - self->crossed;
    remove_first (self);
    write_cursor (self);
  }
  return TRUE;
}

/* ---- Reading ---- */

/* NULL: not what was written here, such as the zeros that a machine without power leaves. */
static PublishRecord *
parse_record (char *line, gsize length)
{
  char *source = strchr (line, '\t'), *json = source != NULL ? strchr (source + 1, '\t') : NULL;
  g_autofree char *name = NULL;
  PublishKind kind = (PublishKind)g_ascii_strtoull (line, NULL, 10);

  if (json == NULL || json[1] != '{' || memchr (line, '\0', length) != NULL)
    return NULL;
  *json++ = '\0';
  name = g_strcompress (source + 1);
  return publish_record_new (kind, name, g_strdup (json));
}

/* Takes a line of the first segment, behind those that were peeked. FALSE: it has to wait for
 * these. What is no message is crossed off. */
static gboolean
peek_line (PublishSpool *self, char *line, gsize length, GPtrArray *records)
{
  PublishRecord *record = parse_record (line, length);
  guint64 bytes = length;

  if (record != NULL) {
    g_ptr_array_add (records, record);
    g_array_append_val (self->peeked, bytes);
    return TRUE;
  }
  if (records->len > 0)
    return FALSE;
  self->offset += length;
  self->crossed++;
  self->length--;
  return TRUE;
}

/* FALSE: none of the first segment's messages can be read now. */
static gboolean
peek_segment (PublishSpool *self, guint n, GPtrArray *records, GError **error)
{
  const Segment *first = g_queue_peek_head (&self->segments);
  g_autofree char *path = segment_path (self, first->number);
  FILE *file = g_fopen (path, "re");
  char *line = NULL;
  gsize room = 0;
  ssize_t length = 0;
  gboolean ended;

  if (file == NULL)
    return errno == ENOENT || fail (error, path, "can't be read");
  fseeko (file, (off_t)self->offset, SEEK_SET);
  while (records->len < n && (length = getline (&line, &room, file)) > 0 && line[length - 1] == '\n'
         && peek_line (self, line, (gsize)length, records))
    ;
  ended = length >= 0 || feof (file) || records->len > 0 || fail (error, path, "can't be read");
  free (line);
  fclose (file);
  return ended;
}

/* Of the first segment alone, so that crossing off is moving one offset. */
GPtrArray *
publish_spool_peek (PublishSpool *self, guint n, guint64 *lost, GError **error)
{
  GPtrArray *records = g_ptr_array_new_with_free_func ((GDestroyNotify)publish_record_free);
  const Segment *first;

  g_array_set_size (self->peeked, 0);
  while (self->length > 0 && (first = g_queue_peek_head (&self->segments)) != NULL) {
    const guint64 crossed = self->crossed;
    gboolean read = peek_segment (self, n, records, error);

    *lost += self->crossed - crossed;
    if (!read || records->len > 0)
      break;
    *lost += first->lines - self->crossed;
    remove_first (self);
  }
  if (g_queue_is_empty (&self->segments))
    self->length = 0;
  return records;
}

void
publish_spool_drop (PublishSpool *self, guint n)
{
  const Segment *first = g_queue_peek_head (&self->segments);

  g_return_if_fail (n <= self->peeked->len);

  if (n == 0)
    return;
  for (guint i = 0; i < n; i++)
    self->offset += g_array_index (self->peeked, guint64, i);
  self->crossed += n;
  self->length -= n;
  g_array_remove_range (self->peeked, 0, n);
  if (self->offset >= first->size)
    remove_first (self);
  write_cursor (self);
}
