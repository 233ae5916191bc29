/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A node's attributes by name, between ONNX files and operators' params.
 *
 * Readers get a default where the attribute is absent. Whether all attributes were read, and had
 * the type their reader expected, is told once at the end by ens_attributes_finish (), so that
 * parse functions are plain lists of reads. */
#pragma once

#include "base/error.h"
#include "base/tensor.h"

typedef struct _EnsAttributes EnsAttributes;

/* (transfer full) */
EnsAttributes *ens_attributes_new (void);
void ens_attributes_free (EnsAttributes *attributes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EnsAttributes, ens_attributes_free)

/* Setting a name again replaces its value. Lists and strings are copied, tensors referenced. */
void ens_attributes_set_int (EnsAttributes *attributes, const char *name, gint64 value);
void ens_attributes_set_float (EnsAttributes *attributes, const char *name, float value);
void ens_attributes_set_string (EnsAttributes *attributes, const char *name, const char *value);
/* A list of strings without commas, joined by commas. */
void ens_attributes_set_strings (EnsAttributes *attributes, const char *name, const char *value);
void ens_attributes_set_ints (EnsAttributes *attributes, const char *name, const gint64 *values,
                              guint n_values);
void ens_attributes_set_floats (EnsAttributes *attributes, const char *name, const float *values,
                                guint n_values);
void ens_attributes_set_tensor (EnsAttributes *attributes, const char *name, EnsTensor *tensor);

gboolean ens_attributes_has (const EnsAttributes *attributes, const char *name);
gint64 ens_attributes_int (EnsAttributes *attributes, const char *name, gint64 absent);
float ens_attributes_float (EnsAttributes *attributes, const char *name, float absent);
/* Belongs to the attributes. */
const char *ens_attributes_string (EnsAttributes *attributes, const char *name, const char *absent);
/* Joined by commas; one string will do, too. Belongs to the attributes. */
const char *ens_attributes_strings (EnsAttributes *attributes, const char *name,
                                    const char *absent);
/* Copies at most `max` values and returns how many there are; more than `max` is an error at the
 * end. Absent: returns 0 and leaves `values` alone. */
guint ens_attributes_ints (EnsAttributes *attributes, const char *name, gint64 *values, guint max);
guint ens_attributes_floats (EnsAttributes *attributes, const char *name, float *values, guint max);
/* NULL if absent. (transfer none) */
EnsTensor *ens_attributes_tensor (EnsAttributes *attributes, const char *name);
/* Marks an attribute as read that has no effect here (such as Dropout's seed). */
void ens_attributes_ignore (EnsAttributes *attributes, const char *name);

/* An attribute of the wrong type, with too many values, or that nobody asked for: FALSE, with a
 * message that names it, and those that were asked for, after `node`, which says whose attributes
 * they are: "node “conv1” (Conv)". */
gboolean ens_attributes_finish (EnsAttributes *attributes, const char *node, GError **error);

/* "axis=1 pads=[0, 0, 1, 1]" in alphabetical order. (transfer full) */
char *ens_attributes_to_string (const EnsAttributes *attributes);

/* One attribute's value, as ens_attributes_foreach () shows it. */
typedef enum {
  ENS_ATTRIBUTE_VALUE_INT,
  ENS_ATTRIBUTE_VALUE_FLOAT,
  ENS_ATTRIBUTE_VALUE_STRING,
  ENS_ATTRIBUTE_VALUE_STRINGS, /* string: joined by commas */
  ENS_ATTRIBUTE_VALUE_INTS,
  ENS_ATTRIBUTE_VALUE_FLOATS,
  ENS_ATTRIBUTE_VALUE_TENSOR,
} EnsAttributeValueKind;

typedef struct {
  EnsAttributeValueKind kind;
  guint n_values;
  union {
    gint64 integer;
    float real;
    char *string;
    gint64 *integers;
    float *reals;
    EnsTensor *tensor;
  };
} EnsAttributeValue;

/* Called for each attribute in alphabetical order. */
typedef void (*EnsAttributeFunc) (const char *name, const EnsAttributeValue *attribute,
                                  gpointer data);
void ens_attributes_foreach (const EnsAttributes *attributes, EnsAttributeFunc func, gpointer data);
