/* Where PXE over IPv6 fetched the program: option 59 of DHCPv6, RFC 5970 3.1. */
#ifndef LB_UEFI_BOOT_URL_H
#define LB_UEFI_BOOT_URL_H

#include "core/base/addr.h"

struct boot_url {
    struct lb_addr server;
    struct lb_bytes folder; /* of the program on it, with its slash; empty: the root */
};

/* options: of a DHCPv6 message, and whatever is behind them. False: they name no program on a TFTP
 * server that is given by its address. What is found points into options. */
bool boot_url_find(struct lb_bytes options, struct boot_url *url);

#endif
