/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "publish/secret.h"

#include <string.h>

#include "base/error.h"
#include "base/files.h"

#define FILE_PREFIX "file:"
#define VARIABLE_PREFIX "env:"

gboolean
publish_secret_check (const char *where, GError **error)
{
  if (where == NULL || g_str_has_prefix (where, FILE_PREFIX)
      || g_str_has_prefix (where, VARIABLE_PREFIX))
    return TRUE;
  /* What was given may be the password. */
  g_set_error_literal (error, ENS_ERROR, ENS_ERROR_FORMAT,
                       "secret: expected file:PATH or env:NAME, found something else; put the "
                       "password into a file that you alone may read");
  return FALSE;
}

static char *
read_file (const char *path, GError **error)
{
  g_autoptr (GError) reason = NULL;
  char *text = ens_file_read_text (path, NULL, &reason);

  if (text == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "secret: %s: %s", path, reason->message);
  return text;
}

static char *
read_variable (const char *name, GError **error)
{
  char *text = g_strdup (g_getenv (name));

  if (text == NULL)
    g_set_error (error, ENS_ERROR, ENS_ERROR_FILE, "secret: the environment has no variable %s",
                 name);
  return text;
}

/* Headers and protocols take one line of text. Takes the secret. */
static char *
check_line (char *secret, const char *where, GError **error)
{
  for (const char *c = secret; *c != '\0'; c++)
    if (g_ascii_iscntrl (*c)) {
      g_set_error (error, ENS_ERROR, ENS_ERROR_FORMAT,
                   "secret: %s: expected one line of text, found a character of code %d in it",
                   where, *c);
      publish_secret_free (secret);
      return NULL;
    }
  return secret;
}

char *
publish_secret_read (const char *where, GError **error)
{
  char *secret;

  if (!publish_secret_check (where, error))
    return NULL;
  secret = g_str_has_prefix (where, FILE_PREFIX)
               ? read_file (where + strlen (FILE_PREFIX), error)
               : read_variable (where + strlen (VARIABLE_PREFIX), error);
  return secret != NULL ? check_line (g_strchomp (secret), where, error) : NULL;
}

void
publish_secret_free (char *secret)
{
  if (secret == NULL)
    return;
  explicit_bzero (secret, strlen (secret));
  g_free (secret);
}
