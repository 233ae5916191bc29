/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files, FIFOs, devices and standard output: one line per message.
 *
 * To a file each line is one write () at its end (O_APPEND), so that several writers don't mix
 * their lines; half a line, which a full disk leaves, is taken back. Pipes are written to when they
 * have room (poll ()), PIPE_BUF bytes at most, which then does not block even where standard
 * output's file description is shared and so can't be made non-blocking. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "publish/destination.h"
#include "publish/rotate.h"

#define GST_CAT_DEFAULT publish_debug

#define PATIENCE_MS 100 /* with a pipe's reader that does not read */
#define HALF_LINE_MS 10 /* that a writer is at half a line */

typedef struct {
  PublishDestination parent;
  char *path; /* NULL: standard output */
  int file;
  gboolean regular;
  guint64 period; /* of rotate-time, that the file's lines are from */
  gboolean ended; /* standard output's reader has gone, for good */
  char *begun;    /* the line that a pipe has taken `taken` bytes of, else NULL */
  gsize taken;
} FileDestination;

static const char *
get_name (const FileDestination *self)
{
  return self->path != NULL ? self->path : "standard output";
}

static gboolean
fail (const FileDestination *self, int code, GError **error)
{
  g_set_error (error, G_FILE_ERROR, (gint)g_file_error_from_errno (code),
               "%s: can't be written to: %s%s", get_name (self), g_strerror (code),
               ens_write_advice (code));
  return FALSE;
}

static guint64
now (void)
{
  return (guint64)g_get_real_time () * 1000;
}

/* ---- Opening ---- */

static gboolean
has_half_line (int file, int reader)
{
  struct stat written, read;
  char last;

  return fstat (file, &written) == 0 && fstat (reader, &read) == 0 && written.st_dev == read.st_dev
         && written.st_ino == read.st_ino && read.st_size > 0
         && pread (reader, &last, 1, read.st_size - 1) == 1 && last != '\n';
}

/* A program that died, or a machine without power, may have left half a line: it stays one line.
 * The path may name another file by now, and half a line may be one that another writer is at. */
static void
end_half_line (FileDestination *self)
{
  int reader = g_open (self->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

  if (reader < 0)
    return;
  if (has_half_line (self->file, reader)) {
    g_usleep (HALF_LINE_MS * 1000);
    if (has_half_line (self->file, reader) && write (self->file, "\n", 1) != 1)
      GST_DEBUG ("%s: half a line can't be ended: %s", self->path, g_strerror (errno));
  }
  close (reader);
}

/* A file's period is that of its first line. */
static void
set_period (FileDestination *self, guint64 time)
{
  const guint64 length = self->parent.options.rotate_time;

  if (length > 0)
    self->period = time / length;
}

static void
look_at_file (FileDestination *self)
{
  struct stat status;

  if (fstat (self->file, &status) != 0)
    return;
  self->regular = S_ISREG (status.st_mode);
  if (!self->regular || self->path == NULL)
    return;
  end_half_line (self);
  set_period (self, GST_TIMESPEC_TO_TIME (status.st_mtim));
}

static gboolean
open_file (PublishDestination *destination, const char *source, GCancellable *cancellable,
           GError **error)
{
  FileDestination *self = (FileDestination *)destination;

  if (self->ended)
    return fail (self, EPIPE, error);
  self->file =
      self->path == NULL
          ? fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
          : g_open (self->path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    0666);
  /* A FIFO that nobody reads. */
  destination->quiet = self->file < 0 && errno == ENXIO;
  if (self->file < 0)
    return fail (self, errno, error);
  look_at_file (self);
  return TRUE;
}

static void
close_file (PublishDestination *destination, GCancellable *cancellable)
{
  FileDestination *self = (FileDestination *)destination;

  if (self->file >= 0)
    close (self->file);
  self->file = -1;
}

/* ---- Files ---- */

/* Whether the next line belongs into another file. */
static gboolean
is_complete (FileDestination *self, gsize length)
{
  const PublishOptions *options = &self->parent.options;
  struct stat status;

  if (fstat (self->file, &status) != 0)
    return FALSE;
  if (status.st_size == 0) {
    set_period (self, now ());
    return FALSE;
  }
  return (options->rotate_size > 0 && (guint64)status.st_size + length > options->rotate_size)
         || (options->rotate_time > 0 && self->period != now () / options->rotate_time);
}

/* Renamed, removed, grown or aged: the next lines go to another file. */
static gboolean
check_file (FileDestination *self, gsize length, GError **error)
{
  gboolean moved = !publish_is_file (self->path, self->file);

  if (!moved && is_complete (self, length))
    moved = publish_rotate (self->path, self->file, self->parent.options.rotate_keep)
            || !publish_is_file (self->path, self->file);
  if (!moved)
    return TRUE;
  close_file (&self->parent, NULL);
  return open_file (&self->parent, NULL, NULL, error);
}

/* A part of a line is taken back, unless another writer's line follows it. */
static gboolean
write_to_file (FileDestination *self, const PublishRecord *record, GError **error)
{
  ssize_t written = write (self->file, record->line, record->length);
  int code = written < 0 ? errno : ENOSPC;
  off_t end = lseek (self->file, 0, SEEK_CUR);
  struct stat status;

  if (written == (ssize_t)record->length)
    return TRUE;
  /* Standard output may be a file that is not opened to append: the next line goes where this one
   * was to. */
  if (written > 0 && fstat (self->file, &status) == 0 && status.st_size == end
      && (ftruncate (self->file, end - written) != 0
          || lseek (self->file, end - written, SEEK_SET) < 0))
    GST_DEBUG ("%s: half a line can't be taken back: %s", get_name (self), g_strerror (errno));
  return fail (self, code, error);
}

/* ---- Pipes ---- */

static gboolean
reader_gone (FileDestination *self, GError **error)
{
  g_clear_pointer (&self->begun, g_free);
  self->ended = self->path == NULL;
  self->parent.quiet = self->path != NULL;
  return fail (self, EPIPE, error);
}

/* Whether some of a line can be written. */
static gboolean
has_room (FileDestination *self, GError **error)
{
  GPollFD poll = {self->file, G_IO_OUT, 0};

  if (g_poll (&poll, 1, PATIENCE_MS) > 0) {
    if ((poll.revents & (G_IO_ERR | G_IO_HUP | G_IO_NVAL)) != 0)
      return reader_gone (self, error);
    return TRUE;
  }
  self->parent.quiet = TRUE;
  return fail (self, EAGAIN, error);
}

/* Writes what is left of the line that was begun. */
static gboolean
finish_line (FileDestination *self, GError **error)
{
  gsize length = strlen (self->begun);

  while (self->taken < length) {
    ssize_t written;

    if (!has_room (self, error))
      return FALSE;
    written = write (self->file, self->begun + self->taken, MIN (length - self->taken, PIPE_BUF));
    if (written < 0 && errno == EPIPE)
      return reader_gone (self, error);
    if (written < 0 && errno != EAGAIN && errno != EINTR)
      return fail (self, errno, error);
    self->taken += (gsize)MAX (written, 0);
  }
  g_clear_pointer (&self->begun, g_free);
  return TRUE;
}

/* A line that was begun and is asked for again goes on where it stopped. */
static gboolean
write_to_pipe (FileDestination *self, const PublishRecord *record, GError **error)
{
  if (self->begun != NULL && (self->taken == 0 || !g_str_equal (self->begun, record->line))) {
    if (self->taken > 0 && !finish_line (self, error))
      return FALSE;
    g_clear_pointer (&self->begun, g_free);
  }
  if (self->begun == NULL) {
    self->begun = g_strdup (record->line);
    self->taken = 0;
  }
  return finish_line (self, error);
}

static gboolean
send_lines (PublishDestination *destination, PublishRecord *const *records, guint n,
            PublishDelivery *delivery, GCancellable *cancellable, GError **error)
{
  FileDestination *self = (FileDestination *)destination;

  for (guint i = 0; i < n; i++) {
    if (g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
    if (self->regular && self->path != NULL && !check_file (self, records[i]->length, error))
      return FALSE;
    if (!(self->regular ? write_to_file : write_to_pipe) (self, records[i], error))
      return FALSE;
    delivery->done++;
  }
  return TRUE;
}

static void
free_file (PublishDestination *destination)
{
  FileDestination *self = (FileDestination *)destination;

  g_free (self->begun);
  g_free (self->path);
}

static const PublishDestinationClass file_class = {
    .open = open_file,
    .send = send_lines,
    .close = close_file,
    .free = free_file,
    .retry_min = 100,
    .retry_max = 1000,
};

PublishDestination *
publish_file_new (const PublishOptions *options, GError **error)
{
  gboolean uri = g_str_has_prefix (options->location, "file:");
  g_autofree char *path =
      uri ? g_filename_from_uri (options->location, NULL, error) : g_strdup (options->location);
  FileDestination *self;

  if (path == NULL)
    return NULL;
  self = publish_destination_alloc (sizeof *self, &file_class, options);
  self->file = -1;
  if (uri || !g_str_equal (path, "-"))
    self->path = g_steal_pointer (&path);
  return &self->parent;
}
