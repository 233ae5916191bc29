/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Completion of command lines in bash, fish and zsh. */
#include "documents.h"

#include <string.h>

/* Text between a shell's single quotes. */
static void
append_quoted (GString *script, const char *text)
{
  g_string_append_c (script, '\'');
  for (; *text != '\0'; text++)
    if (*text == '\'')
      g_string_append (script, "'\\''");
    else
      g_string_append_c (script, *text);
  g_string_append_c (script, '\'');
}

static gboolean
is_files (const char *completion)
{
  return strchr (completion, '*') != NULL;
}

static gboolean
is_folders (const char *completion)
{
  return strcmp (completion, "/") == 0;
}

static gboolean
is_words (const char *completions)
{
  return completions != NULL && !is_files (completions) && strchr (completions, '/') == NULL;
}

/* ---- bash ---- */

/* _gst_ensemble_offer takes a list such as ToolOption has it. */
static const char bash_head[] =
    "# Completion of gst-ensemble-1.0 in bash, made from its tables of options.\n"
    "_gst_ensemble_offer () {\n"
    "  local - kind IFS=$' \\t\\n'\n"
    "  set -f\n"
    "  for kind in $1; do\n"
    "    case $kind in\n"
    "      /) compopt -o filenames 2> /dev/null\n"
    "         mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
    "      *'*'*) compopt -o filenames 2> /dev/null\n"
    "         mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(\n"
    "           compgen -f -X \"!$kind\" -- \"$word\"; [ \"$kind\" = '*' ] || compgen -d -- "
    "\"$word\") ;;\n"
    "      *) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"$kind\" -- \"$word\") ;;\n"
    "    esac\n"
    "  done\n"
    "}\n"
    "_gst_ensemble () {\n"
    "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
    "  COMPREPLY=()\n"
    "  # \"--option=value\" comes as three words.\n"
    "  if [ \"$word\" = = ]; then word=\n"
    "  elif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
    "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "    _gst_ensemble_offer ";

static void
append_bash_option (GString *script, const char *command, const ToolOption *option)
{
  if (option->value == NULL)
    return;
  g_string_append_printf (script, "    %s/--%s", command, option->name);
  if (option->letter != 0)
    g_string_append_printf (script, " | %s/-%c", command, option->letter);
  g_string_append (script, ") _gst_ensemble_offer ");
  append_quoted (script, option->completions != NULL ? option->completions : "");
  g_string_append (script, " ;;\n");
}

char *
tool_bash_completion (void)
{
  GString *script = g_string_new (bash_head);
  g_autoptr (GString) names = g_string_new ("--help --version help");

  for (guint i = 0; tool_commands[i] != NULL; i++)
    g_string_append_printf (names, " %s", tool_commands[i]->name);
  append_quoted (script, names->str);
  g_string_append (script, "\n    return\n  fi\n  case ${COMP_WORDS[1]}/$before in\n");
  for (guint i = 0; tool_commands[i] != NULL; i++)
    for (const ToolOption *option = tool_commands[i]->options; option->name != NULL; option++)
      append_bash_option (script, tool_commands[i]->name, option);
  g_string_append (script, "    *) case ${COMP_WORDS[1]}/$word in\n");
  for (guint i = 0; tool_commands[i] != NULL; i++) {
    const ToolCommand *command = tool_commands[i];

    g_string_append_printf (script, "      %s/-*) _gst_ensemble_offer '--help", command->name);
    for (const ToolOption *option = command->options; option->name != NULL; option++)
      g_string_append_printf (script, " --%s", option->name);
    g_string_append_printf (script, "' ;;\n      %s/*) _gst_ensemble_offer ", command->name);
    append_quoted (script, command->completions != NULL ? command->completions : "");
    g_string_append (script, " ;;\n");
  }
  g_string_append (script, "      help/*) _gst_ensemble_offer ");
  append_quoted (script, names->str + strlen ("--help --version help "));
  g_string_append (script, " ;;\n    esac ;;\n  esac\n}\n"
                           "complete -F _gst_ensemble gst-ensemble-1.0\n");
  return g_string_free (script, FALSE);
}

/* ---- fish ---- */

static void
append_fish_values (GString *script, const char *completions)
{
  g_auto (GStrv) kinds = g_strsplit (completions, " ", -1);

  if (is_words (completions)) {
    g_string_append (script, " -f -a ");
    append_quoted (script, completions);
    return;
  }
  for (guint i = 0; kinds[i] != NULL; i++)
    if (is_folders (kinds[i]))
      g_string_append (script, " -f -a '(__fish_complete_directories)'");
    else if (strcmp (kinds[i], "*") == 0)
      g_string_append (script, " -F");
    else
      g_string_append_printf (script, " -f -a '(__fish_complete_suffix %s)'", kinds[i] + 1);
}

static void
append_fish_option (GString *script, const char *command, const ToolOption *option)
{
  g_string_append_printf (script,
                          "complete -c gst-ensemble-1.0 -n '__fish_seen_subcommand_from %s' -l %s",
                          command, option->name);
  if (option->letter != 0)
    g_string_append_printf (script, " -s %c", option->letter);
  if (option->value != NULL)
    g_string_append (script, " -r");
  if (option->completions != NULL)
    append_fish_values (script, option->completions);
  g_string_append (script, " -d ");
  append_quoted (script, option->summary);
  g_string_append_c (script, '\n');
}

char *
tool_fish_completion (void)
{
  GString *script =
      g_string_new ("# Completion of gst-ensemble-1.0 in fish, made from its tables of options.\n"
                    "complete -c gst-ensemble-1.0 -f -n __fish_use_subcommand -l version\n"
                    "complete -c gst-ensemble-1.0 -f -l help\n");

  for (guint i = 0; tool_commands[i] != NULL; i++) {
    const ToolCommand *command = tool_commands[i];

    g_string_append_printf (script,
                            "complete -c gst-ensemble-1.0 -f -n __fish_use_subcommand -a %s -d ",
                            command->name);
    append_quoted (script, command->summary);
    g_string_append_printf (script,
                            "\ncomplete -c gst-ensemble-1.0 -n '__fish_seen_subcommand_from %s'",
                            command->name);
    append_fish_values (script, command->completions != NULL ? command->completions : "");
    g_string_append_c (script, '\n');
    for (const ToolOption *option = command->options; option->name != NULL; option++)
      append_fish_option (script, command->name, option);
  }
  return g_string_free (script, FALSE);
}

/* ---- zsh ---- */

/* The action of _arguments for a value. */
static void
append_zsh_action (GString *script, const char *completions)
{
  g_auto (GStrv) kinds = g_strsplit (completions, " ", -1);
  const char *pattern = NULL;

  for (guint i = 0; kinds[i] != NULL; i++)
    if (is_files (kinds[i]))
      pattern = kinds[i];
  if (is_words (completions))
    g_string_append_printf (script, "(%s)", completions);
  else if (pattern == NULL)
    g_string_append (script, "_files -/");
  else if (strcmp (pattern, "*") == 0)
    g_string_append (script, "_files");
  else
    g_string_append_printf (script, "_files -g \"%s\"", pattern);
}

static void
append_zsh_option (GString *script, const ToolOption *option)
{
  gboolean repeated =
      option->type == G_OPTION_ARG_STRING_ARRAY || option->type == G_OPTION_ARG_FILENAME_ARRAY;
  g_autoptr (GString) rest = g_string_new (NULL);

  /* Brackets and colons mean something to _arguments. */
  g_string_append_printf (rest, "%s[%s]", option->value != NULL ? "=" : "", option->summary);
  g_string_replace (rest, ":", "\\:", 0);
  if (option->value != NULL) {
    g_string_append_printf (rest, ":%s:", option->name);
    if (option->completions != NULL)
      append_zsh_action (rest, option->completions);
    else
      g_string_append_c (rest, ' ');
  }
  for (guint i = option->letter != 0 ? 0 : 1; i < 2; i++) {
    g_autofree char *head = i == 0 ? g_strdup_printf ("%s-%c", repeated ? "*" : "", option->letter)
                                   : g_strdup_printf ("%s--%s", repeated ? "*" : "", option->name);
    g_autofree char *spec = NULL;

    /* "-n value", "--name=value" */
    spec = i == 0 && option->value != NULL ? g_strconcat (head, "+", rest->str + 1, NULL)
                                           : g_strconcat (head, rest->str, NULL);
    g_string_append (script, " \\\n        ");
    append_quoted (script, spec);
  }
}

char *
tool_zsh_completion (void)
{
  GString *script =
      g_string_new ("#compdef gst-ensemble-1.0\n"
                    "# Completion of gst-ensemble-1.0 in zsh, made from its tables of options.\n"
                    "_gst_ensemble () {\n"
                    "  local -a commands=(\n");

  for (guint i = 0; tool_commands[i] != NULL; i++) {
    g_autofree char *line =
        g_strdup_printf ("%s:%s", tool_commands[i]->name, tool_commands[i]->summary);

    g_string_append (script, "    ");
    append_quoted (script, line);
    g_string_append_c (script, '\n');
  }
  g_string_append (script, "  )\n"
                           "  if (( CURRENT == 2 )); then\n"
                           "    _describe command commands\n"
                           "    return\n"
                           "  fi\n"
                           "  shift words\n"
                           "  (( CURRENT-- ))\n"
                           "  case $words[1] in\n");
  for (guint i = 0; tool_commands[i] != NULL; i++) {
    const ToolCommand *command = tool_commands[i];

    g_string_append_printf (script, "    %s)\n      _arguments '--help[Help]'", command->name);
    for (const ToolOption *option = command->options; option->name != NULL; option++)
      append_zsh_option (script, option);
    if (command->completions != NULL) {
      g_string_append_printf (script, " \\\n        '*:%s:", command->arguments);
      append_zsh_action (script, command->completions);
      g_string_append_c (script, '\'');
    }
    g_string_append (script, "\n      ;;\n");
  }
  g_string_append (script, "  esac\n}\n_gst_ensemble \"$@\"\n");
  return g_string_free (script, FALSE);
}
