/* What the firmware booted from, as configuration: its iSCSI Boot Firmware Table. */
#ifndef LB_LINUX_IBFT_SOURCE_H
#define LB_LINUX_IBFT_SOURCE_H

#include "core/base/config.h"
#include "core/ibft/ibft.h"

/* Reads ROOT/sys/firmware/acpi/tables/iBFT. False: there is none, or it is not valid. */
bool lb_ibft_read(const char *root, struct lb_ibft *ibft);

/* Sets what it says, with source LB_SOURCE_IBFT: `enable`, for only an administrator's boot leaves
 * such a table; target, server, port, LUN, the initiator's name, CHAP, which is required of that
 * target if the firmware used it (lb_config_table); the address where it did not
 * come from DHCP or a router. Not `interface`: the table has its MAC address alone
 * (lb_choose_interface). False: *error says what is wrong. */
bool lb_ibft_configure(const struct lb_ibft *ibft, struct lb_config *config,
                       struct lb_error *error);

#endif
