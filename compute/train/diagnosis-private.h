/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of a diagnosis share. Each adds what it finds to `findings`. */
#pragma once

#include "train/diagnosis.h"

static inline gboolean
ens_diagnosis_has (const EnsDiagnosisImage *image, guint class)
{
  return image->labels[class] == ENS_LABEL_PRESENT;
}

/* Whether the image is known to show none of the classes. */
gboolean ens_diagnosis_shows_none (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image);
/* The classes that an image shows, "none" if there are none. (transfer full) */
char *ens_diagnosis_list_labels (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image);
/* The only class that the image shows, n_classes if it shows none; -1 if it shows several, or it is
 * not known of one whether it shows it. */
gint ens_diagnosis_single_class (const EnsDiagnosis *diagnosis, const EnsDiagnosisImage *image);

/* Whether some image shows several classes. */
gboolean ens_diagnosis_is_multi_label (const EnsDiagnosis *diagnosis);

void ens_diagnose_balance (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_none (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_sizes (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_copies (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_labels (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_confusion (const EnsDiagnosis *diagnosis, GPtrArray *findings);
void ens_diagnose_curve (const EnsDiagnosis *diagnosis, GPtrArray *findings);
