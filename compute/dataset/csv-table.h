/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the columns of a table of pictures are (boxes-csv.c says which there may be). */
#pragma once

#include "base/error.h"
#include "dataset/csv-scan.h"

typedef enum {
  ENS_CSV_FILE,
  ENS_CSV_CLASS,
  ENS_CSV_XMIN,
  ENS_CSV_YMIN,
  ENS_CSV_XMAX,
  ENS_CSV_YMAX,
  ENS_CSV_WIDTH,
  ENS_CSV_HEIGHT,
  ENS_CSV_SPLIT,
  ENS_N_CSV
} EnsCsvColumn;

typedef enum {
  ENS_CSV_LIST,  /* files and their classes */
  ENS_CSV_FLAGS, /* a column for each class */
  ENS_CSV_BOXES, /* a line for each box */
} EnsCsvKind;

typedef struct {
  EnsCsvKind kind;
  guint columns[ENS_N_CSV]; /* G_MAXUINT for one that is not there */
  char **names;             /* n_columns; NULL: the table does not name them */
  guint n_columns;
  gboolean *is_class; /* n_columns */
  gboolean spaced;    /* spaces divide classes, too */
  gboolean shares;    /* boxes are shares of the picture's size */
  gboolean negated;   /* −1 says that a class is not there, as no cell does by 0 */
  GString *unread;    /* names of columns that mean nothing here */
} EnsCsvTable;

/* Whether a cell is the name of a picture that there is. */
typedef gboolean (*EnsCsvIsPicture) (const char *cell, gpointer data);

/* Reads what the columns are, and leaves the scan at the first line of a picture. FALSE if the text
 * is no such table; to be cleared in any case. is_picture NULL: the table has to name its columns,
 * and the one of files as usual. */
gboolean ens_csv_table_init (EnsCsvTable *table, EnsCsvScan *scan, const char *path,
                             EnsCsvIsPicture is_picture, gpointer data, GError **error);
void ens_csv_table_clear (EnsCsvTable *table);

/* Whether a name means the column: whatever its case, “_”, “-” and spaces. */
gboolean ens_csv_column_is_called (EnsCsvColumn column, const char *name);

/* NULL if the table, or the line, has no such cell. (transfer none) */
const char *ens_csv_table_cell (const EnsCsvTable *table, char *const *cells, EnsCsvColumn column);
/* FALSE if the line lacks cells. */
gboolean ens_csv_table_check (const EnsCsvTable *table, char *const *cells, const char *where,
                              GError **error);

gboolean ens_csv_table_is_class (const EnsCsvTable *table, guint column);
/* The classes that a cell names. (transfer full) */
char **ens_csv_table_split_classes (const EnsCsvTable *table, const char *cell);
/* The split (EnsSplit) that a line says, -1 for none. FALSE for a cell that is no split. */
gboolean ens_csv_table_read_split (const EnsCsvTable *table, char *const *cells, gint *split);
/* 1, 0, −1 for a cell that is empty or says so; NaN for any other. */
double ens_csv_flag (const char *cell);
