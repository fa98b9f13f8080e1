#include "prepared_roots.h"
#include <string.h>
#include "mount_namespace.h"
#include "root.h"

static bool is_for_all(const struct spec *spec, const struct platform_info *platform) {
  return spec->root_own != NULL && spec->has_capabilities && spec->capabilities == 0 &&
         platform->has_mount_setattr;
}

static bool fill(const void *spec) { return root_prepare(spec); }

static void forget(struct prepared_root *root) {
  if (root->text == NULL) return;
  close_fd(&root->namespace);
  pages_release(root->text, root->size);
  root->text = NULL;
}

int prepared_root_for(
    struct prepared_roots *roots, const struct spec *spec, const struct platform_info *platform) {
  if (!is_for_all(spec, platform)) return -1;
  for (size_t i = 0; i < MAX_PREPARED_ROOTS; i++) {
    const struct prepared_root *known = &roots->kept[i];
    if (known->text != NULL && known->size == spec->shared_size &&
        memcmp(known->text, spec->shared_text, known->size) == 0)
      return known->namespace;
  }
  struct prepared_root *root = &roots->kept[roots->next++ % MAX_PREPARED_ROOTS];
  forget(root);
  if ((root->text = pages_allocate(spec->shared_size)) == NULL) return -1;
  memcpy(root->text, spec->shared_text, spec->shared_size);
  root->size = spec->shared_size;
  pages_keep_from_children(root->text, root->size);
  return root->namespace = mount_namespace_make(fill, spec);
}

void prepared_roots_release(struct prepared_roots *roots) {
  for (size_t i = 0; i < MAX_PREPARED_ROOTS; i++) forget(&roots->kept[i]);
}
