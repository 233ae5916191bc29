/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who waits, who goes, in which order: rows of events and what comes of them.
 *
 * Streams are a, b, c … An event is one word:
 *   a       a frame of stream a begins        -a@2    it ends at time 2
 *   a1@3    a waits with work 1 at time 3     !a      a withdraws
 *   ?@4     who goes at time 4?               *@4     the batch before has ended at time 4
 *   ^a      a is put back                     ~a      stream a leaves for good
 * Answers: those who go, in order; “.7”: nobody before time 7; “.”: nobody. */
#include "engine/batch-former.h"

#include <stdlib.h>

#include "check-main.h"

#define N_STREAMS 4

static const struct {
  const char *name;
  guint sizes[N_STREAMS]; /* 0: 4 */
  gint64 timeout;
  guint most; /* 0: any number */
  const char *events, *answers;
} rows[] = {
    {"nobody", .events = "?@0", .answers = "."},
    {"one", .events = "a a1@0 ?@0 ?@1", .answers = "a ."},
    {"same-work", .events = "a b a1@0 b1@1 ?@2", .answers = "ab"},
    {"other-work", .events = "a b a1@0 b2@0 ?@0 ?@0 ?@0", .answers = "a b ."},
    {"like-work-is-taken-along", .events = "a b c a1@0 b2@1 c1@2 ?@3 ?@3", .answers = "ac b"},
    {"full", .sizes = {2, 2, 2, 2}, .events = "a b c a1@0 b1@0 c1@0 ?@0 ?@0", .answers = "ab c"},
    {"least-size-counts", .sizes = {4, 4, 2, 4}, .events = "a b c d a1@0 c1@0 b1@0 d1@0 ?@0 ?@0",
     .answers = "ac bd"},
    {"small-size-is-passed-over", .sizes = {4, 4, 2, 4},
     .events = "a b c d a1@0 b1@0 c1@0 d1@0 ?@0 ?@0", .answers = "abd c"},
    {"alone-by-size", .sizes = {1, 4, 4, 4}, .events = "a b c a1@0 b1@0 c1@0 ?@0 ?@0",
     .answers = "a bc"},
    {"most", .most = 2, .events = "a b c a1@0 b1@0 c1@0 ?@0 ?@0", .answers = "ab c"},
    {"withdrawn", .events = "a b c a1@0 b1@0 c1@0 !b ?@0 ?@0", .answers = "ac ."},
    {"leader-withdrawn", .events = "a b a1@0 b1@0 !a ?@0", .answers = "b"},
    {"put-back", .events = "a b c a1@0 b1@0 c2@0 ?@0 ^b ^a ?@1 ?@2 ?@3", .answers = "ab a b c"},
    {"gone", .events = "a b a1@0 b1@0 ~b ?@0", .answers = "a"},

    /* Without a timeout nobody is waited for. */
    {"no-timeout", .events = "a b a1@0 ?@0 b1@0 ?@5", .answers = "a b"},
    {"waits", .timeout = 10, .events = "a b a1@0 ?@0 ?@9 b1@9 ?@9", .answers = ".10 .10 ab"},
    {"waits-in-vain", .timeout = 10, .events = "a b a1@0 ?@0 ?@10 b1@11 ?@11 ?@21",
     .answers = ".10 a .21 b"},
    {"all-are-there", .timeout = 10, .events = "a b a1@0 b1@1 ?@1", .answers = "ab"},
    {"full-before-time", .sizes = {2, 2, 2, 2}, .timeout = 10, .events = "a b c a1@0 b1@1 ?@1",
     .answers = "ab"},
    {"alone-waits-for-nobody", .timeout = 10, .events = "a a1@0 ?@0", .answers = "a"},
    {"between-frames-one-may-come", .timeout = 10, .events = "a b -b a1@0 ?@0 ?@10",
     .answers = ".10 a"},
    {"who-is-away-is-not-awaited", .timeout = 10,
     .events = "a b -b@5 a1@1000005 ?@1000005 ?@1000006", .answers = ".1000015 a"},
    {"who-is-away-for-ten-timeouts", .timeout = 200000,
     .events = "a b -b@5 a1@1900000 ?@1900000 ?@2000006", .answers = ".2100000 a"},
    {"who-comes-back-is-awaited", .timeout = 10,
     .events = "a b -b a1@2000000 ?@2000000 -a@2000001 a b a1@2000002 ?@2000002",
     .answers = "a .2000012"},
    {"who-takes-nobody-along-is-not-awaited", .sizes = {4, 1}, .timeout = 10,
     .events = "a b a1@0 ?@0", .answers = "a"},
    {"who-has-left-is-not-awaited", .timeout = 10, .events = "a b ~b a1@0 ?@0", .answers = "a"},
    {"other-work-goes-meanwhile", .sizes = {4, 4, 1}, .timeout = 10,
     .events = "a b c a1@0 c2@1 ?@1 *@2 ?@2", .answers = "c .11"},
    {"waits-before-other-work-add-up", .sizes = {4, 4, 1}, .timeout = 10,
     .events = "a b c a1@0 c2@9 ?@9 *@12 ?@12 c2@12 ?@12 *@18 ?@18 ?@19",
     .answers = "c .13 c .19 a"},
    {"waits-from-the-end-of-the-batch-before", .timeout = 10, .events = "a b a1@0 *@20 ?@20 ?@30",
     .answers = ".30 a"},

    /* Those who went together wait for each other the next time too, but for nobody else; a frame's
     * waits add up. */
    {"companions", .timeout = 10, .events = "a b a1@0 b1@0 ?@0 a2@11 ?@11 b2@13 ?@13",
     .answers = "ab .21 ab"},
    {"strangers", .timeout = 10, .events = "a b a1@0 b1@0 ?@0 c a2@1 b2@1 ?@1", .answers = "ab ab"},
    {"waits-add-up", .timeout = 10, .events = "a b a1@0 ?@0 b1@4 ?@4 a2@5 ?@5 b2@8 ?@8 a3@9 ?@9",
     .answers = ".10 ab .11 ab .12"},
    {"companion-has-ended", .timeout = 10, .events = "a b a1@0 b1@0 ?@0 a2@1 ?@1 -b ?@2",
     .answers = "ab .11 a"},
    {"next-frame-waits-again", .timeout = 10, .events = "a b a1@0 ?@10 -a a a1@20 ?@20",
     .answers = "a .30"},

    /* However soon a comes again, it is behind those who wait. */
    {"fair", .events = "a b c a1@0 b2@0 c3@0 ?@1 a1@1 ?@2 ?@3 ?@4", .answers = "a b c a"},
    {"fair-in-like-batches", .sizes = {2, 2, 2, 2},
     .events = "a b c d a1@0 b1@0 c1@0 d2@0 ?@1 a1@1 b1@1 ?@2 ?@3 ?@4", .answers = "ab ca d b"},
};

typedef struct {
  EnsBatchFormer *former;
  EnsBatchStream *streams[N_STREAMS];
  guint row;
  gint64 free_since;
  GString *answers;
} Play;

static void
ask (Play *play, gint64 now)
{
  g_autoptr (GPtrArray) batch = g_ptr_array_new ();
  gint64 until;

  if (play->answers->len > 0)
    g_string_append_c (play->answers, ' ');
  if (ens_batch_former_next (play->former, play->free_since, now, batch, &until)) {
    for (guint i = 0; i < batch->len; i++)
      g_string_append_c (play->answers, *(char *)ens_batch_stream_get_data (batch->pdata[i]));
  } else {
    ck_assert_uint_eq (batch->len, 0);
    g_string_append_c (play->answers, '.');
    if (until < G_MAXINT64)
      g_string_append_printf (play->answers, "%" G_GINT64_FORMAT, until);
  }
}

static void
begin (Play *play, const char *name)
{
  guint i = *name - 'a', size = rows[play->row].sizes[i];

  if (play->streams[i] == NULL)
    play->streams[i] = ens_batch_former_join (play->former, (gpointer)name);
  ens_batch_stream_begin (play->streams[i],
                          &(EnsBatchSettings) {size > 0 ? size : 4, rows[play->row].timeout});
}

static void
wait_with (Play *play, EnsBatchStream *stream, gint work, gint64 now)
{
  guint most = rows[play->row].most;

  ens_batch_former_wait (
      play->former, stream,
      &(EnsBatchRequest) {GINT_TO_POINTER (work), most > 0 ? most : G_MAXUINT, now});
}

static void
play_event (Play *play, const char *event)
{
  const char *at = strchr (event, '@');
  gint64 now = at != NULL ? atoi (at + 1) : 0;
  const char name = g_ascii_isalpha (*event) ? *event : event[1];
  /* Some events are of no stream. */
  EnsBatchStream **stream = g_ascii_isalpha (name) ? &play->streams[name - 'a'] : NULL;

  if (*event == '?')
    ask (play, now);
  else if (*event == '*')
    play->free_since = now;
  else if (*event == '-')
    ens_batch_stream_end (*stream, now);
  else if (*event == '!')
    ens_batch_former_withdraw (play->former, *stream);
  else if (*event == '^')
    ens_batch_former_put_back (play->former, *stream);
  else if (*event == '~')
    ens_batch_former_leave (play->former, g_steal_pointer (stream));
  else if (at == NULL)
    begin (play, event);
  else
    wait_with (play, *stream, event[1], now);
}

START_TEST (test_row)
{
  g_autoptr (EnsBatchFormer) former = ens_batch_former_new (g_direct_equal);
  g_autoptr (GString) answers = g_string_new (NULL);
  g_auto (GStrv) events = g_strsplit (rows[_i].events, " ", -1);
  Play play = {former, .row = (guint)_i, .answers = answers};

  for (guint i = 0; events[i] != NULL; i++)
    play_event (&play, events[i]);
  ck_assert_str_eq (answers->str, rows[_i].answers);
  for (guint i = 0; i < N_STREAMS; i++)
    if (play.streams[i] != NULL)
      ens_batch_former_leave (former, play.streams[i]);
}
END_TEST

int
main (int argc, char **argv)
{
  test_init (&argc, &argv);
  test_suite ("engine/batch-former");
  TEST_ADD_ROWS (NULL, test_row, rows);
  return test_run ();
}
