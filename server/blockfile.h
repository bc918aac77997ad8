/* Files by offset, whole or not at all: what overlays and raw disks are made of. Each gives 0, or
 * an errno. The test of overlays has another one of these, whose power can be cut. */
#ifndef LB_SERVER_BLOCKFILE_H
#define LB_SERVER_BLOCKFILE_H

#include "core/base/mem.h"

/* EIO where the file ends before offset + len. */
int lb_blockfile_read(int fd, uint8_t *to, size_t len, uint64_t offset);
/* is_durable: it is on stable storage before this returns. */
int lb_blockfile_write(int fd, const uint8_t *from, size_t len, uint64_t offset, bool is_durable);
/* All that was written before is on stable storage. */
int lb_blockfile_sync(int fd);
/* Gives the room of these bytes back to the file system; they read as zeros then. EOPNOTSUPP: this
 * file cannot do that, and nothing has changed. */
int lb_blockfile_punch(int fd, uint64_t len, uint64_t offset);
/* Room for these bytes, which may be written without ENOSPC from now on; what they are does not
 * change. 0 also where the file system cannot promise that. */
int lb_blockfile_allocate(int fd, uint64_t len, uint64_t offset);
/* Makes the file this long, with zeros; what it had is gone. */
int lb_blockfile_clear(int fd, uint64_t bytes);

#endif
