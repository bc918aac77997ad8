/* Small files that appear whole or not at all. */
#ifndef LB_LINUX_FILES_H
#define LB_LINUX_FILES_H

#include "core/base/bytes.h"

/* Writes it under another name first. Folders on the way are made. 0, or an errno. */
int lb_file_write(const char *path, unsigned mode, struct lb_bytes bytes);

#endif
