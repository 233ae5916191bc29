/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of watch that need no camera. */
#include <glib/gstdio.h>

#include "base/files.h"
#include "check-main.h"
#include "support/small-disk.h"
#include "watch/access.h"
#include "watch/back-off.h"
#include "watch/camera-pipeline.h"
#include "watch/labels.h"
#include "watch/pre-roll.h"
#include "watch/recorder.h"
#include "watch/room.h"

#define TOKEN "0123456789abcdef"

/* ---- Access ---- */

static const struct {
  const char *name, *token;
  WatchRequest request;
  guint status;
} requests[] = {
    {"local", NULL, {.host = "127.0.0.1:8420"}, 200},
    {"name", NULL, {.host = "localhost:8420"}, 200},
    {"local-6", NULL, {.host = "[::1]:8420"}, 200},
    {"rebound", NULL, {.host = "evil.example:8420"}, 403},
    {"rebound-prefix", NULL, {.host = "127.0.0.1.evil.example"}, 403},
    {"no-host", NULL, {NULL}, 403},
    {"no-token", TOKEN, {.host = "camera.example"}, 401},
    {"bearer", TOKEN, {.host = "a", .authorization = "Bearer " TOKEN}, 200},
    {"wrong", TOKEN, {.host = "a", .authorization = "Bearer 0123456789abcdeg"}, 401},
    {"shorter", TOKEN, {.host = "a", .authorization = "Bearer 0123456789abcde"}, 401},
    {"empty", TOKEN, {.host = "a", .authorization = "Bearer "}, 401},
    {"basic", TOKEN, {.host = "a", .authorization = "Basic " TOKEN}, 401},
    {"cookie", TOKEN, {.host = "a", .cookie = "gst-ensemble-session=" TOKEN}, 401},
    {"script", NULL, {"127.0.0.1", NULL, NULL, NULL, "application/json", TRUE}, 200},
    {"form", NULL, {"127.0.0.1", NULL, NULL, NULL, "text/plain", TRUE}, 415},
    {"untyped", NULL, {"127.0.0.1", NULL, NULL, NULL, NULL, TRUE}, 415},
    {"own-site",
     NULL,
     {"localhost:1", "http://localhost:1", NULL, NULL, "application/json", TRUE},
     200},
    {"proxy",
     TOKEN,
     {"a.example", "https://a.example", "Bearer " TOKEN, NULL, "application/json", TRUE},
     200},
    {"other-site",
     NULL,
     {"localhost:1", "http://evil.example", NULL, NULL, "application/json", TRUE},
     403},
    {"other-port",
     NULL,
     {"localhost:1", "http://localhost:2", NULL, NULL, "application/json", TRUE},
     403},
    {"sandbox", NULL, {"localhost:1", "null", NULL, NULL, "application/json", TRUE}, 403},
};

START_TEST (test_request)
{
  g_autoptr (WatchAccess) access = watch_access_new (requests[_i].token);

  ck_assert_uint_eq (watch_access_check (access, &requests[_i].request), requests[_i].status);
}
END_TEST

START_TEST (test_log_in)
{
  g_autoptr (WatchAccess) access = watch_access_new (TOKEN), other = watch_access_new (TOKEN);
  g_autofree char *none = NULL, *cookie = NULL, *header = NULL;
  g_auto (GStrv) parts = NULL;
  WatchRequest request = {.host = "a"};

  ck_assert_uint_eq (watch_access_log_in (access, &request, "0123456789abcdeF", &none), 401);
  ck_assert_ptr_null (none);
  ck_assert_uint_eq (watch_access_log_in (access, &request, TOKEN, &cookie), 200);
  parts = g_strsplit (cookie, ";", 2);
  request.cookie = header = g_strconcat ("a=b; ", parts[0], NULL);
  ck_assert_ptr_nonnull (strstr (cookie, "HttpOnly; SameSite=Strict"));
  ck_assert_ptr_null (strstr (cookie, TOKEN));
  ck_assert_uint_eq (watch_access_check (access, &request), 200);
  ck_assert_uint_eq (watch_access_check (other, &request), 401);
  watch_access_set_token (access, TOKEN);
  ck_assert_uint_eq (watch_access_check (access, &request), 200);
  watch_access_set_token (access, TOKEN "0");
  ck_assert_uint_eq (watch_access_check (access, &request), 401);
}
END_TEST

/* After as many wrong tokens as are heard in a second. */
static const struct {
  const char *name, *token, *from;
  gint64 later; /* than those, seconds */
  guint status;
} guesses[] = {
    {"wrong", "x", "192.0.2.1", 0, WATCH_TOO_MANY_WRONG},
    {"right", TOKEN, "192.0.2.1", 0, WATCH_TOO_MANY_WRONG},
    {"other", TOKEN, "192.0.2.2", 0, 200},
    {"later", TOKEN, "192.0.2.1", 1, 200},
    {"later-wrong", "x", "192.0.2.1", 1, 401},
};

START_TEST (test_guesses)
{
  g_autoptr (WatchAccess) access = watch_access_new (TOKEN);
  g_autofree char *bearer = g_strconcat ("Bearer ", guesses[_i].token, NULL);
  const WatchRequest right = {
      .host = "a", .authorization = "Bearer " TOKEN, .from = "192.0.2.1", .time = 7};
  WatchRequest request = {.host = "a", .from = "192.0.2.1", .time = 7};
  char *cookie;

  for (guint i = 0; i < WATCH_MAX_WRONG; i++) {
    ck_assert_uint_eq (watch_access_check (access, &right), 200);
    ck_assert_uint_eq (watch_access_log_in (access, &request, "x", &cookie), 401);
  }
  request.from = guesses[_i].from;
  request.time += guesses[_i].later * G_TIME_SPAN_SECOND;
  request.authorization = bearer;
  ck_assert_uint_eq (watch_access_check (access, &request), guesses[_i].status);
}
END_TEST

/* ---- Back-off ---- */

/* Milliseconds after each failure; `calm` seconds of playing come before the last. */
static const struct {
  const char *name;
  guint n_failures, calm;
  double random;
  guint wait;
} failures[] = {
    {"first", 1, 0, 0, 1000},   {"second", 2, 0, 0, 2000},       {"fifth", 5, 0, 0, 16000},
    {"tenth", 10, 0, 0, 60000}, {"hundredth", 100, 0, 0, 60000}, {"jitter", 1, 0, 0.5, 1125},
    {"short", 5, 29, 0, 16000}, {"calm", 5, 30, 0, 1000},
};

START_TEST (test_failure)
{
  WatchBackOff back_off = {0};
  gint64 now = G_TIME_SPAN_HOUR;
  guint wait = 0;

  for (guint i = 1; i <= failures[_i].n_failures; i++) {
    if (i == failures[_i].n_failures && failures[_i].calm > 0) {
      watch_back_off_play (&back_off, now);
      now += failures[_i].calm * G_TIME_SPAN_SECOND;
      watch_back_off_play (&back_off, now);
    }
    wait = watch_back_off_fail (&back_off, now, failures[_i].random);
  }
  ck_assert_uint_eq (wait, failures[_i].wait);
}
END_TEST

/* ---- Pre-roll ---- */

/* "k": a key frame, "d": another; one a second, 1000 bytes each. What is kept of the last `length`
 * seconds. */
static const struct {
  const char *name, *stream;
  guint length;
  guint kept;
} streams[] = {
    {"nothing", "", 5, 0},         {"no-key", "ddd", 5, 0},       {"late-key", "ddkd", 5, 2},
    {"all", "kddd", 5, 4},         {"groups", "kddkddkdd", 4, 6}, {"exact", "kddkddkddd", 6, 7},
    {"intra", "kkkkkkkkkk", 3, 4}, {"zero", "kddkd", 0, 2},
};

START_TEST (test_stream)
{
  WatchPreRoll pre_roll = {.length = streams[_i].length * GST_SECOND};

  for (guint i = 0; streams[_i].stream[i] != '\0'; i++) {
    g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 1000, NULL);

    GST_BUFFER_PTS (buffer) = i * GST_SECOND;
    if (streams[_i].stream[i] == 'd')
      GST_BUFFER_FLAG_SET (buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    watch_pre_roll_add (&pre_roll, buffer);
  }
  ck_assert_uint_eq (g_queue_get_length (&pre_roll.buffers), streams[_i].kept);
  ck_assert_uint_eq (pre_roll.bytes, streams[_i].kept * 1000);
  watch_pre_roll_clear (&pre_roll);
}
END_TEST

/* ---- Labels ---- */

#define PICTURE "20260102T030405.678901Z-uncertain-cat.jpg"

static char *folder;
static WatchLabels labels;

static void
set_up (void)
{
  g_autofree char *picture = NULL;

  folder = g_dir_make_tmp ("watch-XXXXXX", NULL);
  labels = (WatchLabels) {g_build_filename (folder, "collected", NULL),
                          g_build_filename (folder, "photos", NULL)};
  picture = g_build_filename (labels.collected, PICTURE, NULL);
  g_mkdir_with_parents (labels.collected, 0700);
  ck_assert (g_file_set_contents (picture, "jpeg", -1, NULL));
}

static void
tear_down (void)
{
  ens_remove_tree (folder);
  g_free (folder);
  g_free ((char *)labels.collected);
  g_free ((char *)labels.dataset);
}

static gboolean
exists (const char *path)
{
  g_autofree char *whole = g_build_filename (folder, path, NULL);

  return g_file_test (whole, G_FILE_TEST_EXISTS);
}

static const struct {
  const char *name, *picture, *class_name;
  const char *divided; /* its folder for training; NULL: it isn't */
  gboolean set;
  const char *place;
} labelled[] = {
    {"plain", PICTURE, "cat", NULL, TRUE, "photos/cat/" PICTURE},
    {"divided", PICTURE, "cat", "train", TRUE, "photos/train/cat/" PICTURE},
    {"training", PICTURE, "cat", "Training", TRUE, "photos/Training/cat/" PICTURE},
    {"split-in-train", PICTURE, "toy train", "train", TRUE, "photos/train/toy train/" PICTURE},
    {"split", PICTURE, "toy train"},
    {"gone", "other.jpg", "cat"},
    {"up", "../watch.conf", "cat"},
    {"hidden", ".jpg", "cat"},
    {"sidecar", "a.json", "cat"},
    {"class-up", PICTURE, ".."},
    {"class-path", PICTURE, "a/b"},
    {"class-empty", PICTURE, ""},
};

START_TEST (test_label)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *parent = NULL;
  gboolean set;

  if (labelled[_i].divided != NULL) {
    g_autofree char *train = g_build_filename (labels.dataset, labelled[_i].divided, NULL);

    g_mkdir_with_parents (train, 0700);
  }
  set = watch_labels_set (&labels, labelled[_i].picture, labelled[_i].class_name, &error);
  ck_assert_int_eq (set, labelled[_i].set);
  ck_assert_int_eq (error == NULL, labelled[_i].set);
  ck_assert_int_eq (exists ("collected/" PICTURE), !labelled[_i].set);
  if (!set)
    return;
  ck_assert (exists (labelled[_i].place));
  ck_assert (watch_labels_unset (&labels, labelled[_i].picture, labelled[_i].class_name, NULL));
  ck_assert (exists ("collected/" PICTURE));
  /* Its class had no other picture. */
  parent = g_path_get_dirname (labelled[_i].place);
  ck_assert (!exists (parent));
}
END_TEST

START_TEST (test_discard)
{
  ck_assert (watch_labels_discard (&labels, PICTURE, NULL));
  ck_assert (!exists ("collected/" PICTURE));
}
END_TEST

/* ---- Clips ---- */

static const char *const recorded[] = {"car", NULL};

static void
on_failed (const char *what, gpointer data)
{
  guint *n_failed = data;

  (*n_failed)++;
}

/* (transfer full) */
static WatchRecorder *
make_recorder (WatchConfig *config, guint *n_failed)
{
  *config = (WatchConfig) {.record_folder = folder, .record_longest = 300, .record_limit = 1};
  return watch_recorder_new (config, "yard", recorded, on_failed, n_failed);
}

/* Of less than half a MiB. */
static void
write_part (guint number)
{
  static const char bytes[500 << 10];
  g_autofree char *path = g_strdup_printf ("%s/yard/20260102T030405Z-car-%05u.mkv", folder, number);

  ck_assert (g_file_set_contents (path, bytes, sizeof bytes, NULL));
}

/* A clip goes on for long: its oldest files go, and no more than have to. */
START_TEST (test_room)
{
  WatchConfig config;
  g_autoptr (WatchRecorder) recorder = make_recorder (&config, NULL);
  const gint64 now = g_get_monotonic_time ();

  g_mkdir_with_parents (watch_recorder_get_folder (recorder), 0700);
  for (guint i = 98; i < 101; i++)
    write_part (i);
  watch_recorder_tick (recorder, now);
  ck_assert (!exists ("yard/20260102T030405Z-car-00098.mkv"));
  ck_assert (exists ("yard/20260102T030405Z-car-00099.mkv"));
  write_part (101);
  watch_recorder_tick (recorder, now + G_TIME_SPAN_SECOND);
  ck_assert (exists ("yard/20260102T030405Z-car-00099.mkv"));
  watch_recorder_tick (recorder, now + 2 * G_TIME_SPAN_MINUTE);
  ck_assert (!exists ("yard/20260102T030405Z-car-00099.mkv"));
  ck_assert (exists ("yard/20260102T030405Z-car-00100.mkv"));
}
END_TEST

/* A recorder with a class that is there, and a frame to begin with. */
static void
begin_recording (WatchRecorder *recorder)
{
  EnsClassResult car = {.name = "car", .state = ENS_CLASS_PRESENT};
  const EnsResult result = {.classes = &car, .n_classes = 1};
  g_autoptr (GstCaps) caps = gst_caps_from_string ("image/jpeg,width=8,height=8,framerate=1/1");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_allocate (NULL, 1, NULL);

  GST_BUFFER_PTS (buffer) = 0;
  watch_recorder_push (recorder, caps, buffer);
  watch_recorder_update (recorder, &result);
}

/* What is to be the folder is a file; it is tried again while the class stays. */
START_TEST (test_failing)
{
  g_autofree char *file = g_build_filename (folder, "yard", NULL);
  WatchConfig config;
  guint n_failed = 0;
  g_autoptr (WatchRecorder) recorder = make_recorder (&config, &n_failed);
  const gint64 now = g_get_monotonic_time ();

  ck_assert (g_file_set_contents (file, "", 0, NULL));
  begin_recording (recorder);
  while (watch_recorder_is_recording (recorder)) {
    watch_recorder_tick (recorder, now);
    g_usleep (1000);
  }
  ck_assert_uint_eq (n_failed, 1);
  ck_assert_uint_eq (watch_recorder_get_n_failed (recorder), 1);
  ck_assert_ptr_nonnull (watch_recorder_get_problem (recorder));
  watch_recorder_tick (recorder, now + G_TIME_SPAN_SECOND);
  ck_assert (!watch_recorder_is_recording (recorder));
  watch_recorder_tick (recorder, now + 2 * G_TIME_SPAN_MINUTE);
  ck_assert (watch_recorder_is_recording (recorder));
  watch_recorder_stop (recorder);
}
END_TEST

/* A clip ends for want of room, and another one begins with it, while the class stays. */
START_TEST (test_paused)
{
  WatchConfig config;
  g_autoptr (WatchRecorder) recorder = make_recorder (&config, NULL);
  const gint64 now = g_get_monotonic_time ();

  begin_recording (recorder);
  ck_assert (watch_recorder_is_recording (recorder));
  watch_recorder_set_paused (recorder, TRUE);
  ck_assert (!watch_recorder_is_recording (recorder));
  watch_recorder_tick (recorder, now + 2 * G_TIME_SPAN_MINUTE);
  ck_assert (!watch_recorder_is_recording (recorder));
  watch_recorder_set_paused (recorder, FALSE);
  watch_recorder_tick (recorder, now + 2 * G_TIME_SPAN_MINUTE);
  ck_assert (watch_recorder_is_recording (recorder));
  watch_recorder_stop (recorder);
}
END_TEST

/* ---- Room on the disk ---- */

#define DISK_MIB 4
#define RESERVE_MIB 2
#define PART (500 << 10)

/* What is on the disk: clips in the order of their times, "y" and "g" of the two cameras yard and
 * gate, "h" a file of somebody else, and then clips that go, from the front, and whether there is
 * room. */
static const struct {
  const char *name, *files, *kept;
  gboolean low;
} disks[] = {
    {"empty", "", "", FALSE},
    {"room", "ygyg", "ygyg", FALSE},
    {"one-goes", "ygygy", "gygy", FALSE},
    {"two-go", "yyygyg", "ygyg", FALSE},
    {"newest-stay", "gyhhhh", "gyhhhh", TRUE},
    {"only-other", "hhhhhy", "hhhhhy", TRUE},
    {"one-is-not-enough", "yyhhhhh", "yhhhhh", TRUE},
};

/* (transfer full) */
static char *
disk_path (char kind, guint number)
{
  static const char *const names[] = {['y'] = "yard", ['g'] = "gate", ['h'] = "yard"};

  return g_strdup_printf (kind == 'h' ? "%s/%s/holiday-%u.mkv"
                                      : "%s/%s/20260102T03040%uZ-car-00000.mkv",
                          folder, names[(guchar)kind], number);
}

static void
write_disk (const char *files)
{
  static const char bytes[PART];

  for (guint i = 0; files[i] != '\0'; i++) {
    g_autofree char *path = disk_path (files[i], i);
    g_autofree char *parent = g_path_get_dirname (path);

    g_mkdir_with_parents (parent, 0700);
    ck_assert (g_file_set_contents (path, bytes, sizeof bytes, NULL));
  }
}

/* (transfer full) */
static char *
list_disk (const char *files)
{
  GString *there = g_string_new (NULL);

  for (guint i = 0; files[i] != '\0'; i++) {
    g_autofree char *path = disk_path (files[i], i);

    if (g_file_test (path, G_FILE_TEST_EXISTS))
      g_string_append_c (there, files[i]);
  }
  return g_string_free (there, FALSE);
}

static gboolean
mount_disk (void)
{
  if (test_small_disk_mount (folder, DISK_MIB << 20, 0))
    return TRUE;
  test_skip ("no small file system can be mounted");
  return FALSE;
}

START_TEST (test_disk)
{
  const WatchConfig config = {.record_folder = folder, .reserve = RESERVE_MIB};
  g_autoptr (WatchRoom) room = watch_room_new (&config);
  g_autofree char *kept = NULL;

  if (!mount_disk ())
    return;
  write_disk (disks[_i].files);
  ck_assert_int_eq (watch_room_check (room, 0), disks[_i].low);
  kept = list_disk (disks[_i].files);
  ck_assert_str_eq (kept, disks[_i].kept);
  ck_assert_uint_eq (watch_room_get_n_removed (room), strlen (disks[_i].files) - strlen (kept));
  if (disks[_i].low)
    ck_assert_contains (watch_room_get_problem (room), "less than 2 MiB are free");
  else
    ck_assert_ptr_null (watch_room_get_problem (room));
  test_small_disk_unmount (folder);
}
END_TEST

/* It goes on by itself, with a little more room than it stopped for. */
START_TEST (test_room_again)
{
  const WatchConfig config = {.record_folder = folder, .reserve = RESERVE_MIB};
  g_autoptr (WatchRoom) room = watch_room_new (&config);
  g_autofree char *first = disk_path ('h', 0), *second = disk_path ('h', 1);

  if (!mount_disk ())
    return;
  write_disk ("hhhhh");
  ck_assert (watch_room_check (room, 0));
  g_remove (first);
  ck_assert (!watch_room_check (room, G_TIME_SPAN_MINUTE));
  ck_assert_ptr_nonnull (watch_room_get_problem (room));
  g_remove (second);
  ck_assert (!watch_room_check (room, G_TIME_SPAN_MINUTE + G_TIME_SPAN_SECOND));
  ck_assert (watch_room_check (room, 2 * G_TIME_SPAN_MINUTE));
  ck_assert_ptr_null (watch_room_get_problem (room));
  test_small_disk_unmount (folder);
}
END_TEST

/* ---- Passwords ---- */

static const struct {
  const char *name, *uri, *text, *shown;
} messages[] = {
    {"password", "rtsp://me:secret@host/path", "rtsp://me:secret@host/path: gone",
     "rtsp://…@host/path: gone"},
    {"hash", "rtsp://me:pa#ss@host/path", "rtsp://me:pa#ss@host/path: gone",
     "rtsp://…@host/path: gone"},
    {"percent", "rtsp://me:50%@host:554", "rtsp://me:50%@host:554: gone",
     "rtsp://…@host:554: gone"},
    {"at", "http://me:p@ss@host?a@b", "http://me:p@ss@host?a@b", "http://…@host?a@b"},
    {"path", "rtsp://host/a@b", "rtsp://host/a@b: gone", "rtsp://host/a@b: gone"},
    {"none", "rtsp://host/path", "rtsp://host/path: gone", "rtsp://host/path: gone"},
};

START_TEST (test_message_of)
{
  g_autofree char *shown = watch_hide_password (messages[_i].text, messages[_i].uri);

  ck_assert_str_eq (shown, messages[_i].shown);
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("watch");
  TEST_ADD_ROWS ("access", test_request, requests);
  test_add ("log-in", test_log_in);
  TEST_ADD_ROWS ("guesses", test_guesses, guesses);
  TEST_ADD_ROWS ("back-off", test_failure, failures);
  TEST_ADD_ROWS ("pre-roll", test_stream, streams);
  TEST_ADD_ROWS ("passwords", test_message_of, messages);
  test_suite ("watch-labels");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("set", test_label, labelled);
  test_add ("discard", test_discard);
  test_suite ("watch-clips");
  test_fixture (set_up, tear_down);
  test_add ("room", test_room);
  test_add ("failing", test_failing);
  test_add ("paused", test_paused);
  TEST_ADD_ROWS ("disk", test_disk, disks);
  test_add ("room-again", test_room_again);
  return test_run ();
}
