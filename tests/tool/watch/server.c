/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page's server with a camera that is a file, asked by a client in the same process. */
#include "watch/server.h"

#include <libsoup/soup.h>

#include "../../gst/colour-bundle.h"
#include "base/files.h"
#include "check-main.h"

#define PICTURE "20260102T030405.678901Z-uncertain-red.jpg"
#define JSON "application/json"
#define FILE_FRAMES 20
#define TOKEN "0123456789abcdef"

static struct {
  char *folder, *address;
  WatchConfig *config;
  WatchStations *stations;
  WatchServer *server;
  SoupSession *session;
} test;

static char *
path_of (const char *name)
{
  return g_build_filename (test.folder, name, NULL);
}

static void
write_text (const char *name, const char *text)
{
  g_autofree char *path = path_of (name);
  g_autofree char *parent = g_path_get_dirname (path);

  g_mkdir_with_parents (parent, 0700);
  ck_assert (g_file_set_contents (path, text, -1, NULL));
}

/* Two seconds of red. */
static void
write_clip (void)
{
  g_autofree char *path = path_of ("red.avi");
  g_autofree char *text =
      g_strdup_printf ("videotestsrc pattern=red num-buffers=" G_STRINGIFY (
                           FILE_FRAMES) " ! video/x-raw,width=64,height=48,framerate=10/1 ! "
                                        "jpegenc ! avimux ! filesink location=%s",
                       path);
  g_autoptr (GError) error = NULL;
  GstElement *pipeline = gst_parse_launch (text, &error);
  g_autoptr (GstBus) bus = NULL;

  ck_assert_no_error (error);
  bus = gst_element_get_bus (pipeline);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  gst_message_unref (gst_bus_timed_pop_filtered (bus, 20 * GST_SECOND, GST_MESSAGE_EOS));
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (pipeline);
}

static void
read_config (const char *more)
{
  g_autofree char *path = path_of ("watch.conf");
  g_autofree char *text =
      g_strdup_printf ("[watch]\nmodel=colours.ensemble\n[collect]\nfolder=collected\n"
                       "[train]\ndataset=photos\n[record]\nclasses=red\nbefore=1\n%s"
                       "[camera yard]\nuri=file://%s/red.avi\n",
                       more, test.folder);
  g_autoptr (GError) error = NULL;

  write_text ("watch.conf", text);
  test.config = watch_config_read (path, &error);
  ck_assert_no_error (error);
}

static void
start (const char *more)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *bundle = NULL;

  test.folder = g_dir_make_tmp ("watch-XXXXXX", NULL);
  bundle = colour_bundle_make (test.folder);
  write_text ("token", TOKEN "\n");
  write_clip ();
  write_text ("collected/yard/" PICTURE, "jpeg");
  read_config (more);
  test.stations = watch_stations_new (test.config, "/bin/echo", &error);
  ck_assert_no_error (error);
  test.server = watch_server_new (test.stations, &error);
  ck_assert_no_error (error);
  test.address = watch_server_get_address (test.server);
  test.session = soup_session_new ();
}

static void
set_up (void)
{
  start ("[page]\nport=0\n");
}

static void
set_up_token (void)
{
  g_setenv ("WATCH_TEST_TOKEN", TOKEN, TRUE);
  start ("[page]\nport=0\ntoken=env:WATCH_TEST_TOKEN\n");
}

/* The file is in the folder of the configuration. */
static void
set_up_token_file (void)
{
  start ("[page]\nport=0\ntoken=file:token\n");
}

/* More than any disk has. */
static void
set_up_reserve (void)
{
  start ("[page]\nport=0\n[watch]\nreserve=2147483647\n");
}

static void
tear_down (void)
{
  g_clear_object (&test.session);
  g_clear_pointer (&test.server, watch_server_free);
  g_clear_pointer (&test.stations, watch_stations_free);
  g_clear_pointer (&test.config, watch_config_free);
  ens_remove_tree (test.folder);
  g_clear_pointer (&test.folder, g_free);
  g_clear_pointer (&test.address, g_free);
}

/* ---- Asking ---- */

typedef struct {
  const char *method, *path, *body, *host, *authorization, *origin;
} Question;

static void
set_header (SoupMessage *message, const char *name, const char *value)
{
  if (value != NULL)
    soup_message_headers_replace (soup_message_get_request_headers (message), name, value);
}

static void
on_result (GObject *session, GAsyncResult *result, gpointer data)
{
  GAsyncResult **kept = data;

  *kept = g_object_ref (result);
}

/* (transfer full) */
static SoupMessage *
make_message (const Question *question)
{
  g_autofree char *uri = g_strconcat (test.address, question->path + 1, NULL);
  SoupMessage *message = soup_message_new (question->method, uri);

  if (question->body != NULL) {
    g_autoptr (GBytes) bytes = g_bytes_new_static (question->body, strlen (question->body));

    soup_message_set_request_body_from_bytes (message, JSON, bytes);
  }
  set_header (message, "Host", question->host);
  set_header (message, "Authorization", question->authorization);
  set_header (message, "Origin", question->origin);
  return message;
}

/* The status; *answer is the body. */
static guint
ask (const Question *question, char **answer)
{
  g_autoptr (SoupMessage) message = make_message (question);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GBytes) bytes = NULL;

  soup_session_send_and_read_async (test.session, message, 0, NULL, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  bytes = soup_session_send_and_read_finish (test.session, result, NULL);
  if (answer != NULL)
    *answer =
        bytes != NULL ? g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)) : NULL;
  return soup_message_get_status (message);
}

#define YARD "/api/cameras/yard"

/* Without a token. */
static const struct {
  const char *name;
  Question question;
  guint status;
  const char *part; /* of the answer; NULL: any */
} rows[] = {
    {"page", {"GET", "/"}, 200, "<!DOCTYPE html>"},
    {"style", {"GET", "/watch.css"}, 200, "prefers-color-scheme"},
    {"script", {"GET", "/watch.js"}, 200, "EventSource"},
    {"state", {"GET", "/api/state"}, 200, "\"name\": \"yard\""},
    {"time", {"GET", "/api/state"}, 200, "\"time\": 1"},
    {"history", {"GET", YARD "/history"}, 200, "\"points\": []"},
    {"collected", {"GET", YARD "/collected"}, 200, PICTURE},
    {"picture", {"GET", YARD "/collected/" PICTURE}, 200, "jpeg"},
    {"no-picture", {"GET", YARD "/collected/other.jpg"}, 404, "there is no such picture"},
    {"up", {"GET", YARD "/collected/..%2F..%2Fwatch.conf"}, 400},
    {"up-clip", {"GET", YARD "/clips/..%2Fred.mkv"}, 400},
    {"clips", {"GET", YARD "/clips"}, 200, "\"clips\": []"},
    {"metrics", {"GET", "/metrics"}, 200, "gst_ensemble_camera_up{camera=\"yard\"} 0\n"},
    {"paused", {"GET", "/metrics"}, 200, "gst_ensemble_recording_paused{camera=\"yard\"} 0\n"},
    {"collecting", {"GET", "/metrics"}, 200, "gst_ensemble_collecting_failed{camera=\"yard\"} 0\n"},
    {"connections", {"GET", "/metrics"}, 200, "gst_ensemble_page_connections 1\n"},
    {"refused", {"GET", "/metrics"}, 200, "gst_ensemble_page_refused_total 0\n"},
    {"health", {"GET", "/health"}, 503, "\"healthy\": false"},
    {"no-camera", {"GET", "/api/cameras/garden/history"}, 404, "no such camera"},
    {"nothing", {"GET", "/secret"}, 404},
    {"method", {"POST", "/api/state", "{}"}, 405},
    {"rebound", {"GET", "/api/state", .host = "evil.example"}, 403},
    {"label", {"POST", YARD "/collected/" PICTURE, "{\"class\": \"none\"}"}, 200},
    {"unknown", {"POST", YARD "/collected/" PICTURE, "{\"class\": \"zebra\"}"}, 400},
    {"new", {"POST", YARD "/collected/" PICTURE, "{\"class\": \"zebra\", \"new\": true}"}, 200},
    {"new-path", {"POST", YARD "/collected/" PICTURE, "{\"class\": \"../a\", \"new\": true}"}, 409},
    {"no-class", {"POST", YARD "/collected/" PICTURE, "[]"}, 400},
    {"not-json", {"POST", YARD "/collected/" PICTURE, "{"}, 400},
    {"no-body", {"POST", YARD "/collected/" PICTURE, ""}, 400},
    {"split", {"POST", YARD "/collected/" PICTURE, "{\"class\": \"test\", \"new\": true}"}, 409},
    {"untyped", {"DELETE", YARD "/collected/" PICTURE}, 415},
    {"discard", {"DELETE", YARD "/collected/" PICTURE, "{}"}, 200},
    {"other-site", {"POST", "/api/training", "{}", .origin = "http://evil.example"}, 403},
};

START_TEST (test_row)
{
  g_autofree char *answer = NULL;
  const guint status = ask (&rows[_i].question, &answer);

  ck_assert_uint_eq (status, rows[_i].status);
  if (rows[_i].part != NULL)
    ck_assert_msg (strstr (answer, rows[_i].part) != NULL, "%s", answer);
}
END_TEST

static const struct {
  const char *name;
  Question question;
  guint status;
} token_rows[] = {
    {"page", {"GET", "/"}, 200},
    {"health", {"GET", "/health"}, 503},
    {"state", {"GET", "/api/state"}, 401},
    {"metrics", {"GET", "/metrics"}, 401},
    {"live", {"GET", YARD "/live"}, 401},
    {"bearer", {"GET", "/api/state", .authorization = "Bearer " TOKEN}, 200},
    {"wrong", {"GET", "/api/state", .authorization = "Bearer x"}, 401},
    {"log-in", {"POST", "/api/login", "{\"token\": \"" TOKEN "\"}"}, 200},
    {"log-in-wrong", {"POST", "/api/login", "{\"token\": \"x\"}"}, 401},
};

START_TEST (test_token)
{
  ck_assert_uint_eq (ask (&token_rows[_i].question, NULL), token_rows[_i].status);
}
END_TEST

/* ---- What anybody can send ---- */

/* The stack must not grow with the depth. */
START_TEST (test_deep)
{
  static char body[60001];

  memset (body, '[', sizeof body - 1);
  ck_assert_uint_eq (ask (&(Question) {"POST", "/api/login", body}, NULL), 401);
}
END_TEST

/* Most memory that this process has had, in KiB. */
static guint64
get_peak_memory (void)
{
  g_autofree char *text = NULL;

  ck_assert (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  return g_ascii_strtoull (strstr (text, "VmHWM:") + strlen ("VmHWM:"), NULL, 10);
}

static const struct {
  const char *name;
  SoupEncoding encoding;
} long_bodies[] = {{"long", SOUP_ENCODING_CONTENT_LENGTH}, {"chunked", SOUP_ENCODING_CHUNKED}};

/* AddressSanitizer asks for this: memory that was freed is used again at once, rather than kept
 * until 256 MiB of it wait, which the measurement below would take for a body that is kept. */
G_MODULE_EXPORT const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}

/* A long body is not kept. */
START_TEST (test_long)
{
  const gsize size = 64 << 20;
  g_autofree char *zeros = g_malloc0 (size); /* pages that are only read take no memory */
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, size);
  g_autoptr (SoupMessage) message = make_message (&(Question) {"POST", "/"});
  g_autoptr (GAsyncResult) result = NULL;
  const guint64 before = get_peak_memory ();

  soup_message_set_request_body_from_bytes (message, JSON, bytes);
  soup_message_headers_set_encoding (soup_message_get_request_headers (message),
                                     long_bodies[_i].encoding);
  soup_session_send_and_read_async (test.session, message, 0, NULL, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  ck_assert_uint_eq (soup_message_get_status (message), 413);
  ck_assert_uint_lt (get_peak_memory () - before, size / 2 >> 10);
}
END_TEST

/* ---- What takes time ---- */

static const Question get_state = {"GET", "/api/state"};

static gboolean
on_timeout (gpointer data)
{
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

static void
wait_a_little (void)
{
  gboolean over = FALSE;

  g_timeout_add (100, on_timeout, &over);
  while (!over)
    g_main_context_iteration (NULL, TRUE);
}

/* Until the answer has that part, or no longer has it; meson's time limit ends a test that waits in
 * vain. */
static void
wait_for (const Question *question, const char *part, gboolean has)
{
  for (;;) {
    g_autofree char *answer = NULL;

    ask (question, &answer);
    if (answer != NULL && (strstr (answer, part) != NULL) == has)
      break;
    wait_a_little ();
  }
}

/* A token file that is replaced is read, one that can't be used changes nothing. */
START_TEST (test_token_file)
{
  static const Question other = {"GET", "/api/state", .authorization = "Bearer " TOKEN "0"};

  ck_assert_uint_eq (ask (&other, NULL), 401);
  write_text ("token", "short");
  write_text ("token", TOKEN "0");
  wait_for (&other, "cameras", TRUE);
  ck_assert_uint_eq (
      ask (&(Question) {"GET", "/api/state", .authorization = "Bearer " TOKEN}, NULL), 401);
  write_text ("token", "short");
  for (guint i = 0; i < 30; i++)
    wait_a_little ();
  ck_assert_uint_eq (ask (&other, NULL), 200);
}
END_TEST

/* Of the camera's frames, so many. */
static void
wait_for_frames (guint64 n)
{
  static const Question metrics = {"GET", "/metrics"};
  static const char name[] = "gst_ensemble_frames_total{camera=\"yard\"} ";

  for (;;) {
    g_autofree char *answer = NULL;
    const char *value;

    ask (&metrics, &answer);
    value = strstr (answer, name);
    ck_assert_ptr_nonnull (value);
    if (g_ascii_strtoull (value + strlen (name), NULL, 10) >= n)
      break;
    wait_a_little ();
  }
}

START_TEST (test_camera)
{
  static const Question metrics = {"GET", "/metrics"};

  watch_stations_start (test.stations);
  wait_for (&get_state, "\"state\": \"playing\"", TRUE);
  wait_for (&get_state, "\"present\": [\"red\"]", TRUE);
  /* The file ends, and begins again, which is no failure. */
  wait_for_frames (FILE_FRAMES + 1);
  wait_for (&metrics, "gst_ensemble_reconnects_total{camera=\"yard\"} 0\n", TRUE);
  wait_for (&get_state, "\"state\": \"playing\"", TRUE);
  wait_for (&metrics, "gst_ensemble_clips_total{camera=\"yard\"} 0\n", FALSE);
}
END_TEST

static void
read_start (GInputStream *stream, char *bytes, gsize size)
{
  for (gsize n = 0; n < size;) {
    g_autoptr (GAsyncResult) result = NULL;
    gssize read;

    g_input_stream_read_async (stream, bytes + n, size - n, 0, NULL, on_result, &result);
    while (result == NULL)
      g_main_context_iteration (NULL, TRUE);
    read = g_input_stream_read_finish (stream, result, NULL);
    ck_assert_int_gt (read, 0);
    n += (gsize)read;
  }
}

/* (transfer full) */
static GInputStream *
open_stream (const char *path)
{
  g_autoptr (SoupMessage) message = make_message (&(Question) {"GET", path});
  g_autoptr (GAsyncResult) result = NULL;
  GInputStream *stream;

  soup_session_send_async (test.session, message, 0, NULL, on_result, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  stream = soup_session_send_finish (test.session, result, NULL);
  ck_assert_uint_eq (soup_message_get_status (message), 200);
  return stream;
}

static const struct {
  const char *name, *path, *part;
} endless[] = {
    {"live", YARD "/live", "Content-Type: image/jpeg\r\n"},
    {"events", "/api/events", "event: result\n"},
};

START_TEST (test_stream)
{
  char bytes[1501] = {0};
  g_autoptr (GInputStream) stream = NULL;

  watch_stations_start (test.stations);
  stream = open_stream (endless[_i].path);
  read_start (stream, bytes, sizeof bytes - 1);
  ck_assert_ptr_nonnull (g_strstr_len (bytes, sizeof bytes - 1, endless[_i].part));
  g_input_stream_close (stream, NULL, NULL);
}
END_TEST

START_TEST (test_training)
{
  ck_assert_uint_eq (ask (&(Question) {"POST", "/api/training", "{}"}, NULL), 200);
  wait_for (&get_state, "\"state\": \"done\"", TRUE);
  wait_for (&get_state, "colours.ensemble\"]", TRUE);
}
END_TEST

/* Neither clips nor frames are kept, and the page and the figures say so; the camera goes on. */
START_TEST (test_no_room)
{
  static const Question metrics = {"GET", "/metrics"};

  watch_stations_start (test.stations);
  wait_for (&get_state, "\"present\": [\"red\"]", TRUE);
  wait_for (&get_state, "clips: less than 2147483647 MiB are free, and no older clip can go", TRUE);
  wait_for (&get_state, "collected/yard: less than 1073741824 MiB are free", TRUE);
  wait_for (&metrics, "gst_ensemble_recording_paused{camera=\"yard\"} 1\n", TRUE);
  wait_for (&metrics, "gst_ensemble_collecting_failed{camera=\"yard\"} 1\n", TRUE);
  wait_for_frames (FILE_FRAMES + 1);
  wait_for (&metrics, "gst_ensemble_clips_total{camera=\"yard\"} 0\n", TRUE);
}
END_TEST

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  test_init (&argc, &argv);
  test_suite ("watch-server");
  test_fixture (set_up, tear_down);
  TEST_ADD_ROWS ("answers", test_row, rows);
  test_add ("camera", test_camera);
  TEST_ADD_ROWS ("streams", test_stream, endless);
  test_add ("training", test_training);
  test_suite ("watch-server-reserve");
  test_fixture (set_up_reserve, tear_down);
  test_add ("no-room", test_no_room);
  test_suite ("watch-server-token");
  test_fixture (set_up_token, tear_down);
  TEST_ADD_ROWS ("answers", test_token, token_rows);
  test_add ("deep-body", test_deep);
  TEST_ADD_ROWS ("long-body", test_long, long_bodies);
  test_suite ("watch-server-token-file");
  test_fixture (set_up_token_file, tear_down);
  test_add ("replaced", test_token_file);
  return test_run ();
}
