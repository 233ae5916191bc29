/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Linear support vector machines, one for each class. */
#include "classify/svm.h"
#include "train/heads.h"

static gboolean
svm_learn (const EnsHeadTask *task, EnsHeadGraphs *graphs, GError **error)
{
  EnsBags examples = task->examples;
  double *c = &task->options[0];
  g_autoptr (EnsLinearClassifier) images = NULL, windows = NULL;

  examples.images.root = task->options[1] != 0;
  if (*c == 0 || task->decisions != NULL)
    *c = ens_svm_cross_fit (&examples.images, *c, task->pool, task->decisions);
  images = ens_svm_train (&examples.images, *c, task->pool);
  graphs->images = ens_linear_classifier_to_graph (images);
  if (examples.first == NULL)
    return TRUE;
  windows = ens_svm_train_on_windows (&examples, images, *c, task->pool);
  graphs->windows = ens_linear_classifier_to_graph (windows);
  return TRUE;
}

/* c: weight of errors against regularisation; 0: by cross validation, for each network.
 * root: whether features are replaced by their signed square roots. */
static const EnsOption options[] = {{"c", 0, 0, G_MAXDOUBLE}, {"root", 1, 0, 1}, {NULL}};

const EnsHead ens_head_svm = {"svm", options, svm_learn};
