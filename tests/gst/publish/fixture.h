/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A queue and its destination, and the messages that go through it. */
#pragma once

#include "publish/queue.h"

#include "check-main.h"

/* A folder for each case, with what was told on the queue's thread. */
void publish_set_up (void);
void publish_tear_down (void);

extern PublishOptions publish_options; /* defaults; location FOLDER/results.jsonl */
extern char *publish_folder;
extern gboolean publish_has_sigpipe; /* a thread that told something could be ended by SIGPIPE */

/* NULL: it is set up wrong. (transfer full) */
PublishQueue *publish_try_start (GError **error);
/* Never fails: for locations that can be opened. (transfer full) */
PublishQueue *publish_start (void);
/* Messages {"n": FIRST} and so on. */
void publish_push (PublishQueue *queue, guint first, guint n);
/* Waits until as many are sent, or until `seconds` have gone by: then the test fails. */
void publish_wait_sent (PublishQueue *queue, guint64 sent);
/* The same for any condition. */
#define publish_wait(condition)                            \
  do {                                                     \
    guint tries = 0;                                       \
                                                           \
    while (!(condition) && tries++ < 2000)                 \
      g_usleep (10000);                                    \
    ck_assert_msg (tries < 2000, "never: %s", #condition); \
  } while (0)

/* A location that there can't be, and what the error says of it. */
typedef struct {
  const char *location, *expected;
} PublishLocation;

/* Checks the error, and that no password "hunter2" is in it. */
void publish_check_location (const PublishLocation *row);

/* The file's text. (transfer full) */
char *publish_read (const char *path);
/* Checks that the text has messages `first` to `first + n - 1`, each once and whole, in order. */
void publish_check (const char *text, guint first, guint n);

/* Warnings and, behind "info: ", other notes, a line each. (transfer full) */
char *publish_get_notes (void);
guint publish_count_notes (const char *part);
