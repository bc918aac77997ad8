#include "hosts/linux/kexec.h"
#include <errno.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define PIECE (UINT64_C(1) << 30) /* sendfile takes two at most */

bool lb_kexec_append(int to, int from, off_t offset, uint64_t len) {
    while (len > 0) {
        ssize_t sent = sendfile(to, from, &offset, LB_MIN(len, PIECE));
        if (sent == 0)
            errno = EIO; /* the file has become shorter */
        if (sent <= 0)
            return false;
        len -= (uint64_t)sent;
    }
    return true;
}

bool lb_kexec_pad(int fd) {
    off_t end = lseek(fd, 0, SEEK_END);
    return end >= 0 && ftruncate(fd, (end + 3) / 4 * 4) == 0 && lseek(fd, 0, SEEK_END) >= 0;
}
