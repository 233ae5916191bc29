/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a page on the elements of a plug-in, in Markdown: write-elements PLUGIN.so SOURCE.c …
 *
 * Pads and properties are what the elements tell gst-inspect-1.0 too. The description is the
 * comment “SECTION:element-NAME” of one of the sources. */
#include <gst/gst.h>
#include <string.h>

/* What would end a cell of a table is replaced. (transfer full) */
static char *
make_cell (const char *text)
{
  GString *cell = g_string_new (text);

  g_string_replace (cell, "|", "\\|", 0);
  g_string_replace (cell, "\n", " ", 0);
  return g_string_free (cell, FALSE);
}

/* (transfer full) */
static char *
describe_default (const GParamSpec *spec)
{
  const GValue *value = g_param_spec_get_default_value ((GParamSpec *)spec);
  g_autofree char *text = NULL;

  if (!(spec->flags & G_PARAM_WRITABLE))
    return g_strdup ("read-only");
  if (G_VALUE_HOLDS_STRING (value) && g_value_get_string (value) == NULL)
    return g_strdup ("none");
  text = gst_value_serialize (value);
  return text != NULL ? make_cell (text) : g_strdup ("");
}

/* GLib's names begin with a g. */
static const char *
describe_type (const GParamSpec *spec)
{
  const char *name = g_type_name (spec->value_type);

  if (G_IS_PARAM_SPEC_STRING (spec))
    return "string";
  return *name == 'g' ? name + 1 : name;
}

static const char *
describe_state (const GParamSpec *spec)
{
  if (!(spec->flags & G_PARAM_WRITABLE))
    return "";
  return spec->flags & GST_PARAM_MUTABLE_PLAYING  ? "any time"
         : spec->flags & GST_PARAM_MUTABLE_PAUSED ? "up to PAUSED"
                                                  : "up to READY";
}

static void
print_choices (const GParamSpec *spec)
{
  const GEnumClass *choices = G_PARAM_SPEC_ENUM (spec)->enum_class;

  for (guint i = 0; i < choices->n_values; i++)
    g_print ("%s `%s`: %s", i == 0 ? "." : ";", choices->values[i].value_nick,
             choices->values[i].value_name);
}

static void
print_property (const GParamSpec *spec)
{
  g_autofree char *standard = describe_default (spec);
  g_autofree char *meaning = make_cell (g_param_spec_get_blurb ((GParamSpec *)spec));

  g_print ("| `%s` | %s | %s | %s | %s", spec->name, describe_type (spec), standard,
           describe_state (spec), meaning);
  if (G_IS_PARAM_SPEC_ENUM (spec))
    print_choices (spec);
  g_print (" |\n");
}

static void
print_properties (GObjectClass *object)
{
  guint n;
  g_autofree GParamSpec **specs = g_object_class_list_properties (object, &n);

  g_print ("| property | type | default | may be changed | meaning |\n|---|---|---|---|---|\n");
  for (guint i = 0; i < n; i++)
    if (specs[i]->owner_type == G_OBJECT_CLASS_TYPE (object))
      print_property (specs[i]);
}

static void
print_pads (GstElementFactory *factory)
{
  for (const GList *item = gst_element_factory_get_static_pad_templates (factory); item != NULL;
       item = item->next) {
    GstStaticPadTemplate *pad = item->data;

    g_print ("Pad `%s`:\n\n```\n%s\n```\n\n", pad->name_template, pad->static_caps.string);
  }
}

/* The lines of an element's comment, or NULL. (transfer full) */
static char **
find_comment (const char *element, char **sources)
{
  g_autofree char *start = g_strdup_printf ("\n * SECTION:element-%s\n", element);

  for (; *sources != NULL; sources++) {
    g_autofree char *source = NULL;
    char *comment, *end;

    if (!g_file_get_contents (*sources, &source, NULL, NULL))
      continue;
    comment = strstr (source, start);
    end = comment != NULL ? strstr (comment, "\n */") : NULL;
    if (end == NULL)
      continue;
    *end = '\0';
    return g_strsplit (comment + strlen (start), "\n", -1);
  }
  return NULL;
}

/* GTK-Doc's examples, |[ … ]|, as Markdown's; what follows an example's end explains it. */
static void
print_line (char *line)
{
  if (strcmp (line, "|[") == 0)
    g_print ("```\n");
  else if (g_str_has_prefix (line, "]|"))
    g_print ("```\n\n%s\n\n", g_strchug (line + 2));
  else if (g_str_has_prefix (line, "## "))
    g_print ("#%s\n", line);
  else
    g_print ("%s\n", line);
}

static void
print_description (const char *element, char **sources)
{
  g_auto (GStrv) lines = find_comment (element, sources);
  /* "#GstThing", "#GstThing:property" */
  g_autoptr (GRegex) names = g_regex_new ("#(\\w[\\w:-]*\\w)", 0, 0, NULL);

  for (guint i = 0; lines != NULL && lines[i] != NULL; i++) {
    const char *line = lines[i] + MIN (strlen (" * "), strlen (lines[i]));
    g_autofree char *text = g_regex_replace (names, line, -1, 0, "`\\1`", 0, NULL);

    if (*line != '@')
      print_line (text);
  }
  g_print ("\n");
}

static void
print_element (GstElementFactory *factory, char **sources)
{
  g_autoptr (GTypeClass) class = g_type_class_ref (gst_element_factory_get_element_type (factory));

  g_print ("## %s\n\n%s.\n\n", GST_OBJECT_NAME (factory),
           gst_element_factory_get_metadata (factory, GST_ELEMENT_METADATA_DESCRIPTION));
  print_description (GST_OBJECT_NAME (factory), sources);
  print_pads (factory);
  print_properties (G_OBJECT_CLASS (class));
  g_print ("\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstPlugin) plugin = NULL;
  GList *features;

  gst_init (&argc, &argv);
  plugin = gst_plugin_load_file (argv[1], &error);
  if (plugin == NULL) {
    g_printerr ("%s: %s\n", argv[1], error->message);
    return 1;
  }
  g_print ("Title: Elements\nSlug: elements\n\n# Elements\n\n");
  features =
      gst_registry_get_feature_list_by_plugin (gst_registry_get (), gst_plugin_get_name (plugin));
  for (const GList *item = features; item != NULL; item = item->next)
    if (GST_IS_ELEMENT_FACTORY (item->data))
      print_element (item->data, argv + 2);
  gst_plugin_feature_list_free (features);
  return 0;
}
