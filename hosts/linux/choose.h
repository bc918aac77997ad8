/* The interface to boot from, where there may be several, or none yet. */
#ifndef LB_LINUX_CHOOSE_H
#define LB_LINUX_CHOOSE_H

#include "core/base/error.h"

struct lb_choice {
    const char *name;   /* this one; NULL: any */
    const uint8_t *mac; /* the one with this address; NULL: any */
};

/* Waits until the interface is there, for at most timeout_ms: in an initramfs its driver may still
 * be on its way. Where neither name nor address is known, all Ethernet interfaces are brought up
 * and the first with a link is taken; those that were brought up for nothing are put down again.
 * The kernel's events are waited for, nothing is polled. False: NO_INTERFACE, NO_LINK or
 * HOST_NETWORK. */
bool lb_choose_interface(const struct lb_choice *choice, uint32_t timeout_ms, char *name,
                         size_t cap, struct lb_error *error);

#endif
