/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checker is independent of the row arithmetic in hazards.c: for every byte it notes the
 * commands that wrote and read it last. */
#include "base/error.h"
#include "vulkan/hazards.h"

/* The latest accesses to a byte. Numbers of commands count from 1; 0: none yet. */
typedef struct {
  guint written, read; /* by which command, last */
} Byte;

typedef struct {
  gconstpointer buffer;
  GArray *bytes; /* Byte */
} Memory;

static void
clear_memory (gpointer data)
{
  g_array_unref (((Memory *)data)->bytes);
}

static GArray *
find_bytes (GArray *memories, gconstpointer buffer)
{
  Memory memory = {buffer};

  for (guint i = 0; i < memories->len; i++)
    if (g_array_index (memories, Memory, i).buffer == buffer)
      return g_array_index (memories, Memory, i).bytes;
  memory.bytes = g_array_new (FALSE, TRUE, sizeof (Byte));
  g_array_append_val (memories, memory);
  return memory.bytes;
}

/* The command that a byte's touch has to wait for, unless it came before the last barrier. */
static guint
note (Byte *byte, guint command, gboolean write)
{
  guint other = byte->written != command ? byte->written : 0;

  if (write && byte->read != command)
    other = MAX (other, byte->read);
  if (write)
    byte->written = command;
  else
    byte->read = command;
  return other;
}

/* The latest command before this one that touched the same bytes; 0: none. */
static guint
walk (const EnsTouch *touch, GArray *bytes, guint command)
{
  guint latest = 0;

  if (bytes->len < touch->end)
    g_array_set_size (bytes, touch->end);
  for (gsize row = touch->begin; row < touch->end; row += MAX (touch->pitch, 1))
    for (gsize at = row; at < MIN (row + touch->run, touch->end); at++) {
      guint other = note (&g_array_index (bytes, Byte, at), command, touch->write);

      latest = MAX (latest, other);
    }
  return latest;
}

gboolean
ens_hazards_check (const EnsHazard *commands, guint n, GError **error)
{
  g_autoptr (GArray) memories = g_array_new (FALSE, FALSE, sizeof (Memory));
  guint first = 0; /* the first command behind the last barrier */

  g_array_set_clear_func (memories, clear_memory);
  for (guint i = 0; i < n; i++) {
    guint latest = 0;

    if (commands[i].barrier || commands[i].waits)
      first = i;
    for (guint j = 0; j < commands[i].n_touches; j++) {
      const EnsTouch *touch = &commands[i].touches[j];
      guint other = walk (touch, find_bytes (memories, touch->buffer), i + 1);

      latest = MAX (latest, other);
    }
    if (latest > first) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_DEVICE,
                   "commands %u and %u touch the same memory without a barrier between them",
                   latest - 1, i);
      return FALSE;
    }
  }
  return TRUE;
}
