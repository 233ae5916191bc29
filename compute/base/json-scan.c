/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/json-scan.h"

#include <math.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* Whole numbers up to here are doubles without loss. */
#define MAX_INTEGER 9007199254740992.0

void
ens_json_scan_init (EnsJsonScan *scan, const char *path, const char *text, gsize length)
{
  *scan = (EnsJsonScan) {.path = path, .start = text, .at = text, .end = text + length};
  scan->text = g_string_new (NULL);
  if (length >= strlen (BYTE_ORDER_MARK) && memcmp (text, BYTE_ORDER_MARK, 3) == 0)
    scan->at += strlen (BYTE_ORDER_MARK);
}

gboolean
ens_json_scan_failed (const EnsJsonScan *scan)
{
  return scan->failure != NULL;
}

/* ---- What is wrong ---- */

/* What stands at the scanner's place, for a message. (transfer full) */
static char *
describe_place (const EnsJsonScan *scan)
{
  gsize length = MIN ((gsize)(scan->end - scan->at), 12);
  g_autofree char *shown = NULL;

  if (length == 0)
    return g_strdup ("the end of the file");
  shown = g_utf8_make_valid (scan->at, (gssize)length);
  g_strdelimit (shown, "\n\r\t", ' ');
  return g_strdup_printf ("“%s”", shown);
}

/* Remembers the first error and goes to the end, where there is nothing to read. */
static void
fail (EnsJsonScan *scan, const char *expected)
{
  g_autofree char *found = NULL;
  const char *line = scan->start;
  guint n_lines = 1;

  if (scan->failure != NULL)
    return;
  found = describe_place (scan);
  for (const char *c = scan->start; c < scan->at; c++)
    if (*c == '\n') {
      line = c + 1;
      n_lines++;
    }
  g_set_error (&scan->failure, ENS_ERROR, ENS_ERROR_FORMAT,
               "%s:%u:%" G_GSIZE_FORMAT ": not sound JSON: expected %s, found %s", scan->path,
               n_lines, (gsize)(scan->at - line) + 1, expected, found);
  scan->at = scan->end;
}

/* ---- Places ---- */

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

char
ens_json_scan_peek (EnsJsonScan *scan)
{
  while (scan->at < scan->end && is_space (*scan->at))
    scan->at++;
  return scan->at < scan->end ? *scan->at : '\0';
}

static gboolean
take (EnsJsonScan *scan, char character)
{
  if (ens_json_scan_peek (scan) != character || scan->at == scan->end)
    return FALSE;
  scan->at++;
  return TRUE;
}

/* A value that is neither string nor number nor container. */
static gboolean
take_word (EnsJsonScan *scan)
{
  static const char *const words[] = {"true", "false", "null", "NaN", "Infinity", "-Infinity"};

  ens_json_scan_peek (scan);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize length = strlen (words[i]);

    if ((gsize)(scan->end - scan->at) >= length && memcmp (scan->at, words[i], length) == 0) {
      scan->at += length;
      return TRUE;
    }
  }
  return FALSE;
}

static gboolean
open_container (EnsJsonScan *scan, char bracket)
{
  if (ens_json_scan_peek (scan) != bracket) {
    ens_json_scan_skip (scan);
    return FALSE;
  }
  if (scan->depth == ENS_JSON_SCAN_MAX_DEPTH) {
    fail (scan, "brackets nested at most " G_STRINGIFY (ENS_JSON_SCAN_MAX_DEPTH) " deep");
    return FALSE;
  }
  scan->at++;
  scan->depth++;
  scan->first = TRUE;
  return TRUE;
}

gboolean
ens_json_scan_open_object (EnsJsonScan *scan)
{
  return open_container (scan, '{');
}

gboolean
ens_json_scan_open_array (EnsJsonScan *scan)
{
  return open_container (scan, '[');
}

/* Whether something follows in the container that ends with this bracket; closes it if not. */
static gboolean
go_on (EnsJsonScan *scan, char bracket, const char *expected)
{
  if (scan->failure != NULL)
    return FALSE;
  if (take (scan, bracket)) {
    scan->depth--;
    scan->first = FALSE;
    return FALSE;
  }
  if (!scan->first && !take (scan, ',')) {
    fail (scan, expected);
    return FALSE;
  }
  scan->first = FALSE;
  return TRUE;
}

/* ---- Strings ---- */

static gboolean
read_hex (EnsJsonScan *scan, gunichar *code)
{
  *code = 0;
  for (guint i = 0; i < 4; i++) {
    int digit = scan->at < scan->end ? g_ascii_xdigit_value (*scan->at) : -1;

    if (digit < 0) {
      fail (scan, "four hexadecimal digits");
      return FALSE;
    }
    *code = *code << 4 | (gunichar)digit;
    scan->at++;
  }
  return TRUE;
}

/* What follows “\u”. A surrogate without its other half becomes a replacement character. */
static void
read_code_point (EnsJsonScan *scan, GString *text)
{
  gunichar code, low;

  if (!read_hex (scan, &code))
    return;
  if (code >= 0xd800 && code < 0xdc00 && scan->end - scan->at >= 2
      && memcmp (scan->at, "\\u", 2) == 0) {
    scan->at += 2;
    if (!read_hex (scan, &low))
      return;
    code =
        low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
  }
  /* A string of ours ends at a zero; nobody means one. */
  g_string_append_unichar (text, g_unichar_validate (code) && code != 0 ? code : 0xfffd);
}

static void
read_escape (EnsJsonScan *scan, GString *text)
{
  static const char escapes[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
  const char *known;

  if (scan->at < scan->end && *scan->at == 'u') {
    scan->at++;
    read_code_point (scan, text);
    return;
  }
  known = scan->at < scan->end && *scan->at != '\0' ? strchr (escapes, *scan->at) : NULL;
  if (known == NULL) {
    fail (scan, "an escape such as \\n or \\u00e4");
    return;
  }
  g_string_append_c (text, characters[known - escapes]);
  scan->at++;
}

/* The string whose opening quote has been taken, into scan->text. */
static void
read_string (EnsJsonScan *scan)
{
  g_string_truncate (scan->text, 0);
  while (scan->failure == NULL) {
    const char *run = scan->at, *valid;

    while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\'
           && (guchar)*scan->at >= ' ')
      scan->at++;
    if (!g_utf8_validate_len (run, (gsize)(scan->at - run), &valid)) {
      scan->at = valid;
      fail (scan, "text in UTF-8");
      return;
    }
    g_string_append_len (scan->text, run, scan->at - run);
    if (scan->at == scan->end || (guchar)*scan->at < ' ')
      fail (scan, "the quote that closes a string");
    else if (*scan->at++ == '"')
      return;
    else
      read_escape (scan, scan->text);
  }
}

const char *
ens_json_scan_member (EnsJsonScan *scan)
{
  if (!go_on (scan, '}', "“,” or “}”"))
    return NULL;
  if (!take (scan, '"')) {
    fail (scan, "the name of a member, in quotes");
    return NULL;
  }
  read_string (scan);
  if (!take (scan, ':'))
    fail (scan, "“:”");
  return scan->failure == NULL ? scan->text->str : NULL;
}

gboolean
ens_json_scan_element (EnsJsonScan *scan)
{
  return go_on (scan, ']', "“,” or “]”");
}

char *
ens_json_scan_string (EnsJsonScan *scan)
{
  if (!take (scan, '"')) {
    ens_json_scan_skip (scan);
    return NULL;
  }
  read_string (scan);
  return scan->failure == NULL ? g_strdup (scan->text->str) : NULL;
}

/* ---- Numbers ---- */

static gboolean
read_digits (EnsJsonScan *scan)
{
  const char *first = scan->at;

  while (scan->at < scan->end && g_ascii_isdigit (*scan->at))
    scan->at++;
  if (scan->at > first)
    return TRUE;
  fail (scan, "a digit");
  return FALSE;
}

static gboolean
at_one_of (const EnsJsonScan *scan, const char *characters)
{
  return scan->at < scan->end && *scan->at != '\0' && strchr (characters, *scan->at) != NULL;
}

/* The digits that follow, into scan->text. */
static void
read_number (EnsJsonScan *scan)
{
  const char *first = scan->at;

  if (at_one_of (scan, "-"))
    scan->at++;
  if (at_one_of (scan, "0"))
    scan->at++;
  else if (!read_digits (scan))
    return;
  if (at_one_of (scan, ".")) {
    scan->at++;
    if (!read_digits (scan))
      return;
  }
  if (at_one_of (scan, "eE")) {
    scan->at++;
    if (at_one_of (scan, "+-"))
      scan->at++;
    if (!read_digits (scan))
      return;
  }
  g_string_truncate (scan->text, 0);
  g_string_append_len (scan->text, first, scan->at - first);
}

double
ens_json_scan_number (EnsJsonScan *scan)
{
  char next = ens_json_scan_peek (scan);

  if (next != '-' && !g_ascii_isdigit (next)) {
    ens_json_scan_skip (scan);
    return NAN;
  }
  if (take_word (scan))
    return NAN;
  read_number (scan);
  return scan->failure == NULL ? g_ascii_strtod (scan->text->str, NULL) : NAN;
}

gboolean
ens_json_scan_integer (EnsJsonScan *scan, gint64 *value)
{
  double number = ens_json_scan_number (scan);

  if (!(fabs (number) <= MAX_INTEGER) || number != floor (number))
    return FALSE;
  *value = (gint64)number;
  return TRUE;
}

char *
ens_json_scan_id (EnsJsonScan *scan)
{
  gint64 number;

  if (ens_json_scan_peek (scan) == '"')
    return ens_json_scan_string (scan);
  return ens_json_scan_integer (scan, &number) ? g_strdup_printf ("%" G_GINT64_FORMAT, number)
                                               : NULL;
}

/* ---- Whatever ---- */

void
ens_json_scan_skip (EnsJsonScan *scan)
{
  char next = ens_json_scan_peek (scan);

  if (next == '{') {
    if (ens_json_scan_open_object (scan))
      while (ens_json_scan_member (scan) != NULL)
        ens_json_scan_skip (scan);
  } else if (next == '[') {
    if (ens_json_scan_open_array (scan))
      while (ens_json_scan_element (scan))
        ens_json_scan_skip (scan);
  } else if (next == '"') {
    scan->at++;
    read_string (scan);
  } else if (!take_word (scan)) {
    if (next == '-' || g_ascii_isdigit (next))
      read_number (scan);
    else
      fail (scan, "a value");
  }
}

gboolean
ens_json_scan_finish (EnsJsonScan *scan, GError **error)
{
  ens_json_scan_peek (scan);
  if (scan->at < scan->end)
    fail (scan, "nothing more");
  g_string_free (g_steal_pointer (&scan->text), TRUE);
  if (scan->failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&scan->failure));
  return FALSE;
}
