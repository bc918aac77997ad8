/* `lunboot boot --then=kexec`: the kernel of the attached disk takes this one's place.
 *
 * The disk's boot entries are read (bootdisk.h), one is chosen, its kernel and initramfs are
 * loaded, the disk is let go, and the new kernel starts. Its command line is the entry's, with
 * words that lead it back to the same disk: ours, and those that Debian's open-iscsi and dracut
 * understand. What must not be on a command line, which everybody may read, is in a file that is
 * added to the initramfs: /etc/lunboot.conf, when there are secrets. */
#ifndef LB_LINUX_KEXEC_H
#define LB_LINUX_KEXEC_H

#include "hosts/linux/bootdisk.h"
#include "hosts/linux/takeover.h"
#include <sys/types.h>

#define LB_COMMAND_LINE_MAX                                                                        \
    2048 /* with its NUL, of x86 and 64-bit ARM; longer ones are cut there */

/* Loads and starts it; returns when that failed. The disk has been let go then. */
void lb_kexec(struct lb_run *run, const struct lb_attached *attached);

/* ---- parts ----------------------------------------------------------------------------------- */

/* Where the next kernel finds its disk. */
struct lb_next_boot {
    const char *options;   /* the entry's; words that it has already are not added */
    const char *more;      /* a person's kernel-options */
    const char *interface; /* its name here; the next kernel knows it by the MAC address */
    uint8_t mac[6];
    const struct lb_boot_net *net; /* NULL: not configured by us */
    const char *initiator;
    const struct lb_rootpath *target;
    struct lb_endpoint portal;
};
/* False: it does not fit, a value cannot be a word, or a quote of the entry's or the person's
 * options does not close and would swallow what follows. */
bool lb_kexec_line(struct lb_text *line, const struct lb_next_boot *next);
/* The lines of lunboot.conf that travel with the next kernel: the policy, which no later stage's
 * network may widen, IPsec, the keys of DHCP, and CHAP where it is used for the disk. */
void lb_kexec_conf(struct lb_text *text, const struct lb_config *config, bool has_chap);
/* A part of a file to where `to` stands. False: errno; EIO where the file ends before. */
bool lb_kexec_append(int to, int from, off_t offset, uint64_t len);
/* Zeros up to a multiple of four bytes, where the next archive of an initramfs begins; the file
 * stands at its end then. False: errno. */
bool lb_kexec_pad(int fd);
/* A cpio archive with one file, /etc/lunboot.conf, readable by root alone. 0 bytes: no room. */
struct lb_bytes lb_kexec_archive(struct lb_bytes conf, struct lb_span room);

#endif
