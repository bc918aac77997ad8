/* What lb_takeover decides, and what it reads and writes in sysfs: without an engine and without a
 * session of the kernel's. sysfs is "/sys" in a running system. */
#ifndef LB_LINUX_TAKEOVER_RULES_H
#define LB_LINUX_TAKEOVER_RULES_H

#include "hosts/linux/loop.h"
#include "hosts/linux/relogin.h"

#define LB_TAKEOVER_ATTEMPTS 2  /* the first connection, and that of a fresh login */
#define LB_TAKEOVER_DEVICE   64 /* bytes of a device's name, without /dev/, with the NUL */

enum lb_takeover_wait {
    LB_TAKEOVER_WAITS,
    LB_TAKEOVER_ENDED, /* the engine failed, or a person ended it: run->error says so */
    LB_TAKEOVER_LATE,
};

enum lb_takeover_next {
    LB_TAKEOVER_DONE,   /* the kernel has the disk */
    LB_TAKEOVER_AGAIN,  /* a fresh login, and then one more attempt */
    LB_TAKEOVER_FAILED, /* no more attempts */
};

/* After a step of the loop that gave event, while something is waited for until until_us. */
enum lb_takeover_wait lb_takeover_wait(enum lb_loop_event event, uint64_t now_us,
                                       uint64_t until_us);
/* After an attempt. attempts: how many there were, with this one; has_ended: the engine failed
 * meanwhile; is_interrupted: by a signal. */
enum lb_takeover_next lb_takeover_next(unsigned attempts, bool is_there, bool has_ended,
                                       bool is_interrupted);

/* What the kernel is told beside what the login agreed. is_kept: see lb_takeover. */
struct lb_kernel_iscsi_settings lb_takeover_settings(const struct lb_config *config, bool is_kept);
/* The login, as somebody will do it again: its portal is where the session would come back to, and
 * what the iBFT requires of this target is part of the policy, which has no secrets. Writes config,
 * policy and time2wait_s of *again. */
void lb_takeover_note(const struct lb_initiator_standing *standing, const struct lb_config *config,
                      struct lb_login_again *again);

/* Opens the file that makes the kernel look for LUNs of this SCSI host, for writing. The caller
 * closes it. -1: HAND_OVER. */
int lb_takeover_open_scan(const char *sysfs, uint32_t host, struct lb_error *error);
/* Asks for this LUN, the kernel's number of it, and then for what else the target has. Each write
 * returns when the kernel has scanned. */
void lb_takeover_scan(int fd, uint64_t lun);
/* The disk of this LUN, where the kernel has it already: its name, without /dev/. False: not yet;
 * *device is as it was. */
bool lb_takeover_look(const char *sysfs, const struct lb_kernel_iscsi *kernel, uint64_t lun,
                      char device[LB_TAKEOVER_DEVICE]);
/* Takes the disk (without /dev/) away from the kernel; it flushes what it has written first. False:
 * there is none, or the kernel refused. */
bool lb_takeover_delete(const char *sysfs, const char *device);

#endif
