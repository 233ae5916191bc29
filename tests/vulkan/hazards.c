/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Barriers: where they are placed, and that the checker finds every one that is missing. */
#include <string.h>

#include "vulkan/hazards.h"

#include "check-main.h"

static const int buffer, other;

#define DENSE(memory, from, to, writes)                    \
  {                                                        \
    memory, from, to, (to) - (from), (to) - (from), writes \
  }
#define READ(from, to) DENSE (&buffer, from, to, FALSE)
#define WRITE(from, to) DENSE (&buffer, from, to, TRUE)
#define WRITE_OTHER(from, to) DENSE (&other, from, to, TRUE)
/* Four rows of 16 bytes, of which columns [from, to). */
#define COLUMNS(from, to, writes)                       \
  (EnsTouch)                                            \
  {                                                     \
    &buffer, from, 48 + (to), (to) - (from), 16, writes \
  }
/* The same of rows of 8 bytes. */
#define NARROW(from, to, writes)                       \
  (EnsTouch)                                           \
  {                                                    \
    &buffer, from, 24 + (to), (to) - (from), 8, writes \
  }

#define DOES(...)              \
  {                            \
    .touches = { __VA_ARGS__ } \
  }
#define WAITS     \
  {               \
    .waits = TRUE \
  }

typedef struct {
  const char *name;
  const char *barriers; /* by command: "|" one before it, "." none */
  EnsHazard commands[6];
} Row;

static const Row rows[] = {
    {"read after write", ".|", {DOES (WRITE (0, 8)), DOES (READ (0, 8))}},
    {"write after read", ".|", {DOES (READ (0, 8)), DOES (WRITE (0, 8))}},
    {"write after write", ".|", {DOES (WRITE (0, 8)), DOES (WRITE (0, 8))}},
    {"read after read", "..", {DOES (READ (0, 8)), DOES (READ (0, 8))}},
    {"one byte in common", ".|", {DOES (WRITE (0, 8)), DOES (READ (7, 9))}},
    {"neighbours", "..", {DOES (WRITE (0, 8)), DOES (WRITE (8, 16))}},
    {"buffers apart", "..", {DOES (WRITE (0, 8)), DOES (WRITE_OTHER (0, 8))}},
    {"in place", ".|", {DOES (WRITE (0, 8)), DOES (READ (0, 8), WRITE (0, 8))}},
    {"branches share one",
     "..|.",
     {DOES (WRITE (0, 8)), DOES (WRITE (8, 16)), DOES (READ (0, 8), WRITE (16, 24)),
      DOES (READ (8, 16), WRITE (24, 32))}},
    {"against any since the last one",
     "...|",
     {DOES (WRITE (0, 8)), DOES (WRITE (8, 16)), DOES (WRITE (16, 24)), DOES (READ (0, 8))}},
    {"not against what came before it",
     ".|.",
     {DOES (WRITE (0, 8)), DOES (READ (0, 8)), DOES (READ (0, 8))}},
    {"chain", ".||", {DOES (WRITE (0, 8)), DOES (READ (0, 8), WRITE (8, 16)), DOES (READ (8, 16))}},
    {"the CPU waits", "...", {DOES (WRITE (0, 8)), WAITS, DOES (READ (0, 8))}},
    {"columns apart", "..", {DOES (COLUMNS (0, 4, TRUE)), DOES (COLUMNS (4, 16, TRUE))}},
    {"columns that meet", ".|", {DOES (COLUMNS (0, 5, TRUE)), DOES (COLUMNS (4, 16, FALSE))}},
    {"columns, the first one behind",
     "..",
     {DOES (COLUMNS (8, 12, TRUE)), DOES (COLUMNS (0, 8, FALSE))}},
    {"a whole and its columns", ".|", {DOES (COLUMNS (4, 8, TRUE)), DOES (READ (0, 64))}},
    {"rows of different pitch", ".|", {DOES (COLUMNS (0, 4, TRUE)), DOES (NARROW (0, 4, TRUE))}},
    {"columns around the row's end",
     ".|",
     {DOES (COLUMNS (0, 4, TRUE)), DOES (COLUMNS (12, 20, TRUE))}},
};

/* The row's commands, with their touches counted. */
static EnsHazard *
copy_commands (const Row *row, guint *n)
{
  EnsHazard *commands;

  *n = (guint)strlen (row->barriers);
  commands = g_memdup2 (row->commands, *n * sizeof *commands);
  for (guint i = 0; i < *n; i++)
    while (commands[i].touches[commands[i].n_touches].buffer != NULL)
      commands[i].n_touches++;
  return commands;
}

START_TEST (check_row)
{
  const Row *row = &rows[_i];
  guint n;
  g_autofree EnsHazard *commands = copy_commands (row, &n);
  g_autofree char *found = g_strnfill (n, '.');
  g_autoptr (GError) error = NULL;

  ens_hazards_place (commands, n);
  for (guint i = 0; i < n; i++)
    if (commands[i].barrier)
      found[i] = '|';
  ck_assert_pstr_eq (found, row->barriers);
  ens_hazards_check (commands, n, &error);
  ck_assert_no_error (error);
}
END_TEST

/* Without any one of its barriers a row is wrong. */
START_TEST (check_without)
{
  const Row *row = &rows[_i];
  guint n;
  g_autofree EnsHazard *commands = copy_commands (row, &n);

  ens_hazards_place (commands, n);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) error = NULL;

    if (!commands[i].barrier)
      continue;
    commands[i].barrier = FALSE;
    ck_assert (!ens_hazards_check (commands, n, &error));
    ck_assert_ptr_nonnull (error);
    commands[i].barrier = TRUE;
  }
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("vulkan/hazards");
  TEST_ADD_ROWS (NULL, check_row, rows);
  TEST_ADD_ROWS ("one missing", check_without, rows);
  return test_run ();
}
